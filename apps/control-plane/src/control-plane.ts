import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Clock, Logger } from '@muster/runtime';
import { AppModule } from './app.module.js';
import type { ControlPlaneConfig } from './config.js';
import { Database } from './database/database.js';
import { migrate } from './database/migrate.js';
import { whenReachable } from './database/when-reachable.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { configureHttp, HTTP_OPTIONS } from './http/bootstrap.js';
import { HttpAdapter } from './http/http-adapter.js';
import { ClaimDesk } from './http-workers/claim-desk.js';
import { BootstrapKeys } from './keys/bootstrap-keys.js';
import { nestLogger } from './nest-logger.js';
import { ReplicaChannel } from './replicas/replica-channel.js';
import { RetentionSchedule } from './retention/retention.schedule.js';
import { SampleRollUp } from './samples/sample-roll-up.js';
import { AgentGateway } from './sockets/agent.gateway.js';
import { AgentIoAdapter } from './sockets/agent-io.adapter.js';
import { Notices } from './sockets/notices.js';
import { WatchSchedule } from './workers/watch.schedule.js';

export interface ControlPlaneParts {
  readonly config: ControlPlaneConfig;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Gives up waiting for PostgreSQL. */
  readonly signal?: AbortSignal;
}

export interface ControlPlane {
  readonly app: NestExpressApplication;
  /** Where it listens: `http://127.0.0.1:6878`. */
  readonly url: string;
  readonly replicaId: string;
  /** Takes nothing new, answers what it took, sends agents elsewhere, closes. May be called many times. */
  stop(): Promise<void>;
}

/** Followers and idle connections that have not ended by themselves after this are ended. */
const CONNECTIONS_GRACE_MS = 1_000;

/** Starts one replica: migrations, first keys, then REST and sockets on one port. Waits for PostgreSQL as long as it takes. */
export async function startControlPlane(parts: ControlPlaneParts): Promise<ControlPlane> {
  const { config, log, signal } = parts;
  await whenReachable(() => migrate(config.databaseUrl, signal), log, signal);
  const replicaId = `replica_${randomBytes(8).toString('hex')}`;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with({ ...parts, replicaId }), new HttpAdapter(), {
    ...HTTP_OPTIONS,
    logger: nestLogger(log),
    abortOnError: false,
  });
  app.useWebSocketAdapter(new AgentIoAdapter(app));
  configureHttp(app, log);
  await whenReachable(() => app.get(BootstrapKeys).ensure(), log, signal);
  await app.get(RetentionSchedule).prepare();
  const watch = app.get(WatchSchedule);
  // Before anything is heard or swept: it gives leases the time back in which no replica was alive.
  await watch.start();
  const notices = app.get(Notices);
  app.get(ReplicaChannel).start((notice) => notices.deliverHere(notice));
  app.get(Dispatcher).start();
  app.get(RetentionSchedule).start();
  app.get(SampleRollUp).start();
  await app.listen(config.port, config.host);
  const url = urlOf(app, config.host);
  log.info({ url, replicaId }, 'listening');
  let stopping: Promise<void> | undefined;
  return { app, url, replicaId, stop: () => (stopping ??= stop(app, log)) };
}

/** In the order in which nothing acknowledged is lost and nobody waits for something that has already ended. */
async function stop(app: NestExpressApplication, log: Logger): Promise<void> {
  await Promise.all([app.get(WatchSchedule).stop(), app.get(RetentionSchedule).stop(), app.get(SampleRollUp).stop()]);
  // Who waits for a job is sent away before nobody dispatches any more.
  app.get(ClaimDesk).close();
  await app.get(AgentGateway).stop();
  const server = app.getHttpServer();
  setTimeout(() => server.closeAllConnections(), CONNECTIONS_GRACE_MS).unref();
  await app.close();
  await app.get(ReplicaChannel).stop();
  await app.get(Database).end();
  log.info('stopped');
}

function urlOf(app: NestExpressApplication, host: string): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
