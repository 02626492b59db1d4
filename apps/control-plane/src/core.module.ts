import { Global, Module, type DynamicModule } from '@nestjs/common';
import { createSystemClock, type Clock, type Logger } from '@muster/runtime';
import { Announcements } from './announcements.js';
import type { ControlPlaneConfig } from './config.js';
import { Database } from './database/database.js';

/** The whole configuration, frozen. Inject it with `@Inject(CONFIG)`. */
export const CONFIG = Symbol('config');
/** The root logger; bind ids with `child`. */
export const LOGGER = Symbol('logger');
export const CLOCK = Symbol('clock');
/** Names this process among the replicas; new at every start. */
export const REPLICA_ID = Symbol('replicaId');

export interface CoreParts {
  readonly config: ControlPlaneConfig;
  readonly log: Logger;
  readonly replicaId: string;
  readonly clock?: Clock;
}

/** What every feature may use: configuration, logger, clock, database, announcements. */
@Global()
@Module({})
export class CoreModule {
  static with(parts: CoreParts): DynamicModule {
    const { config, log, replicaId, clock = createSystemClock() } = parts;
    return {
      module: CoreModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: log },
        { provide: CLOCK, useValue: clock },
        { provide: REPLICA_ID, useValue: replicaId },
        { provide: Database, useFactory: () => new Database(config.databaseUrl, log) },
        { provide: Announcements, useFactory: () => new Announcements(log) },
      ],
      exports: [CONFIG, LOGGER, CLOCK, REPLICA_ID, Database, Announcements],
    };
  }
}
