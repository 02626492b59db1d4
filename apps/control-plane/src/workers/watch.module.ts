import { Module } from '@nestjs/common';
import { EngineModule } from '../engine/engine.module.js';
import { WaitingModule } from '../http-workers/waiting.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { ReplicasModule } from '../replicas/replicas.module.js';
import { SocketsModule } from '../sockets/sockets.module.js';
import { HeartbeatSweeper } from './heartbeat-sweeper.js';
import { WatchSchedule } from './watch.schedule.js';

/** What time does: beats that stay out, leases and limits that are over, keys that ended. */
@Module({
  imports: [EngineModule, KeysModule, ReplicasModule, SocketsModule, WaitingModule],
  providers: [HeartbeatSweeper, WatchSchedule],
  exports: [WatchSchedule],
})
export class WatchModule {}
