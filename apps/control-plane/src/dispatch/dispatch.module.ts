import { Module } from '@nestjs/common';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { SessionsModule } from '../sockets/sessions.module.js';
import { Dispatcher } from './dispatcher.js';

@Module({ imports: [SessionsModule, ReplicasModule], providers: [Dispatcher], exports: [Dispatcher] })
export class DispatchModule {}
