import { Module } from '@nestjs/common';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { SessionsModule } from '../sockets/sessions.module.js';
import { EngineService } from './engine.service.js';

@Module({ imports: [SessionsModule, ReplicasModule], providers: [EngineService], exports: [EngineService] })
export class EngineModule {}
