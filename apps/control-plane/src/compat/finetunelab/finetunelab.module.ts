import { Module } from '@nestjs/common';
import { WorkerLifeModule } from '../../worker-life/worker-life.module.js';
import { ForeignModule } from '../foreign.module.js';
import { FinetunelabController } from './finetunelab.controller.js';
import { FinetunelabWorkers } from './finetunelab-workers.js';

/** `/compat/finetunelab`: where workers of FineTune Lab register. */
@Module({ imports: [ForeignModule, WorkerLifeModule], controllers: [FinetunelabController], providers: [FinetunelabWorkers] })
export class FinetunelabModule {}
