import { Module } from '@nestjs/common';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { HttpModule } from '../http/http.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { WorkerLifeModule } from '../worker-life/worker-life.module.js';
import { AgentGateway } from './agent.gateway.js';
import { AgentPresence } from './agent-presence.js';
import { SessionsModule } from './sessions.module.js';
import { SocketAuth } from './socket-auth.js';

/** What agents say over their sockets, and who listens to it. */
@Module({
  imports: [DispatchModule, HttpModule, KeysModule, SessionsModule, WorkerLifeModule],
  providers: [AgentGateway, AgentPresence, SocketAuth],
  exports: [AgentGateway, WorkerLifeModule],
})
export class SocketsModule {}
