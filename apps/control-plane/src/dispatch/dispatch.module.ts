import { Module } from '@nestjs/common';
import { WaitingModule } from '../http-workers/waiting.module.js';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { SessionsModule } from '../sockets/sessions.module.js';
import { Dispatcher } from './dispatcher.js';

@Module({ imports: [SessionsModule, ReplicasModule, WaitingModule], providers: [Dispatcher], exports: [Dispatcher] })
export class DispatchModule {}
