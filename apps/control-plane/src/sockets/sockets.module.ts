import { Module } from '@nestjs/common';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { HttpModule } from '../http/http.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { LogIngest } from '../logs/log-ingest.js';
import { LogTailsModule } from '../logs/log-tails.module.js';
import { MetricIngest } from '../metrics/metric-ingest.js';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { SampleIngest } from '../workers/sample-ingest.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { AgentDesk } from './agent-desk.js';
import { AgentGateway } from './agent.gateway.js';
import { SessionsModule } from './sessions.module.js';
import { SocketAuth } from './socket-auth.js';

/** What agents say, and who listens to it. */
@Module({
  imports: [DispatchModule, EngineModule, HttpModule, KeysModule, LogTailsModule, ReplicasModule, SessionsModule],
  providers: [AgentDesk, AgentGateway, LogIngest, MetricIngest, SampleIngest, SocketAuth, WorkerRegistry],
  exports: [AgentGateway, SampleIngest, WorkerRegistry],
})
export class SocketsModule {}
