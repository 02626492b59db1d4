import { Module } from '@nestjs/common';
import { JobRemoval } from './job-removal.js';
import { LogDebts } from './log-debts.js';
import { PartitionKeeper } from './partition-keeper.js';
import { RetentionSchedule } from './retention.schedule.js';

/** How long things are kept, and how they go. */
@Module({
  providers: [JobRemoval, LogDebts, PartitionKeeper, RetentionSchedule],
  exports: [RetentionSchedule],
})
export class RetentionModule {}
