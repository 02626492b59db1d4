import { Module } from '@nestjs/common';
import { EngineModule } from '../engine/engine.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { LogIngest } from '../logs/log-ingest.js';
import { LogTailsModule } from '../logs/log-tails.module.js';
import { MetricIngest } from '../metrics/metric-ingest.js';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { SampleIngest } from '../workers/sample-ingest.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { WorkerDesk } from './worker-desk.js';

/** The lease protocol without a transport: sockets, REST and adapters are thin above it. */
@Module({
  imports: [EngineModule, KeysModule, LogTailsModule, ReplicasModule],
  providers: [LogIngest, MetricIngest, SampleIngest, WorkerDesk, WorkerRegistry],
  exports: [SampleIngest, WorkerDesk, WorkerRegistry],
})
export class WorkerLifeModule {}
