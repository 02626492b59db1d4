import { Module } from '@nestjs/common';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { WorkerLifeModule } from '../worker-life/worker-life.module.js';
import { AttemptsHttpController } from './attempts-http.controller.js';
import { ClaimDesk } from './claim-desk.js';
import { HttpAttempts } from './http-attempts.js';
import { HttpWorkers } from './http-workers.js';
import { WaitingModule } from './waiting.module.js';
import { WorkerPlace } from './worker-place.js';
import { WorkersHttpController } from './workers-http.controller.js';

/** Workers that speak plain HTTP: the lease protocol of the sockets, and a request in place of an offer. */
@Module({
  imports: [DispatchModule, KeysModule, ReplicasModule, WaitingModule, WorkerLifeModule],
  controllers: [WorkersHttpController, AttemptsHttpController],
  providers: [ClaimDesk, HttpAttempts, HttpWorkers, WorkerPlace],
  exports: [ClaimDesk, HttpAttempts, WorkerPlace],
})
export class HttpWorkersModule {}
