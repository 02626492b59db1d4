import { Module } from '@nestjs/common';
import { KeysModule } from '../../keys/keys.module.js';
import { LogReadingModule } from '../../logs/log-reading.module.js';
import { WorkerLifeModule } from '../../worker-life/worker-life.module.js';
import { ForeignModule } from '../foreign.module.js';
import { FinetunelabController } from './finetunelab.controller.js';
import { FinetunelabWorkers } from './finetunelab-workers.js';
import { TrainingController } from './training/training.controller.js';
import { TrainingJobs } from './training/training-jobs.js';
import { TrainingLogs } from './training/training-logs.js';
import { TrainingMetrics } from './training/training-metrics.js';

/** `/compat/finetunelab`: where workers of FineTune Lab register, and their training jobs tell how they are. */
@Module({
  imports: [ForeignModule, KeysModule, LogReadingModule, WorkerLifeModule],
  controllers: [FinetunelabController, TrainingController],
  providers: [FinetunelabWorkers, TrainingJobs, TrainingLogs, TrainingMetrics],
})
export class FinetunelabModule {}
