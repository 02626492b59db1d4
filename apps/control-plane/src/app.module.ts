import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { FinetunelabModule } from './compat/finetunelab/finetunelab.module.js';
import { MoragModule } from './compat/morag/morag.module.js';
import { CoreModule, type CoreParts } from './core.module.js';
import { DispatchModule } from './dispatch/dispatch.module.js';
import { EngineModule } from './engine/engine.module.js';
import { HttpModule, UnknownRouteModule } from './http/http.module.js';
import { HttpWorkersModule } from './http-workers/http-workers.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { KeysModule } from './keys/keys.module.js';
import { LogReadingModule } from './logs/log-reading.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { ReplicasModule } from './replicas/replicas.module.js';
import { RetentionModule } from './retention/retention.module.js';
import { SamplesModule } from './samples/samples.module.js';
import { SessionsModule } from './sockets/sessions.module.js';
import { SocketsModule } from './sockets/sockets.module.js';
import { StatsModule } from './stats/stats.module.js';
import { WatchModule } from './workers/watch.module.js';
import { WorkersModule } from './workers/workers.module.js';

/** The table of contents. */
@Module({})
export class AppModule {
  static with(parts: CoreParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        CoreModule.with(parts),
        ScheduleModule.forRoot(),
        ReplicasModule,
        SessionsModule,
        EngineModule,
        DispatchModule,
        SocketsModule,
        HttpWorkersModule,
        WatchModule,
        RetentionModule,
        KeysModule,
        HttpModule,
        JobsModule,
        LogReadingModule,
        MetricsModule,
        SamplesModule,
        StatsModule,
        WorkersModule,
        FinetunelabModule,
        MoragModule,
        // Last: it answers whatever is left.
        UnknownRouteModule,
      ],
    };
  }
}
