import { Module } from '@nestjs/common';
import { WaitingModule } from '../http-workers/waiting.module.js';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { AgentSessions } from './agent-sessions.js';
import { Notices } from './notices.js';

/** Who is connected here and how to say something to them; knows nothing of what they say. */
@Module({ imports: [ReplicasModule, WaitingModule], providers: [AgentSessions, Notices], exports: [AgentSessions, Notices] })
export class SessionsModule {}
