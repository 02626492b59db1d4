import { Module } from '@nestjs/common';
import { EngineModule } from '../engine/engine.module.js';
import { FailedAuthLimiter } from '../http/failed-auth-limiter.js';
import { KeysModule } from '../keys/keys.module.js';
import { WorkerLifeModule } from '../worker-life/worker-life.module.js';
import { ForeignKeys } from './foreign-keys.js';
import { ForeignWorkers } from './foreign-workers.js';

/** What the adapters share. Refused keys are counted apart from those of our own interface. */
@Module({
  imports: [EngineModule, KeysModule, WorkerLifeModule],
  providers: [FailedAuthLimiter, ForeignKeys, ForeignWorkers],
  exports: [ForeignKeys, ForeignWorkers],
})
export class ForeignModule {}
