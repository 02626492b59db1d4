import { Module } from '@nestjs/common';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { FleetReader } from './fleet-reader.js';
import { IdempotencyPurge } from './idempotency-purge.js';
import { JobActions } from './job-actions.js';
import { JobReader } from './job-reader.js';
import { JobSubmission } from './job-submission.js';
import { JobsController } from './jobs.controller.js';
import { LaneKeeper } from './lane-keeper.js';
import { SubmissionLane } from './submission-lane.js';

@Module({
  imports: [DispatchModule, EngineModule],
  controllers: [JobsController],
  providers: [FleetReader, IdempotencyPurge, JobActions, JobReader, JobSubmission, LaneKeeper, SubmissionLane],
})
export class JobsModule {}
