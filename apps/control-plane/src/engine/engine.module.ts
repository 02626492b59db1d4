import { Module } from '@nestjs/common';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { SessionsModule } from '../sockets/sessions.module.js';
import { EngineService } from './engine.service.js';

@Module({ imports: [DispatchModule, SessionsModule, ReplicasModule], providers: [EngineService], exports: [EngineService] })
export class EngineModule {}
