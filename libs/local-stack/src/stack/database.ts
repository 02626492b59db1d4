import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded-postgres/embedded-postgres.js';
import { decideRestart } from './restarts.js';

/** The database of a stack: embedded and kept running, or an own server that is only named. */
export interface StackDatabase {
  readonly url: string;
  readonly isEmbedded: boolean;
  /** The server was left running by a stack that was killed. */
  readonly isAdopted: boolean;
  stop(): Promise<void>;
}

export interface KeptPostgresOptions {
  readonly dataDir: string;
  readonly port: number | undefined;
  readonly onProgress: (text: string) => void;
  readonly onRestart: (message: string) => void;
  readonly onGiveUp: (error: unknown) => void;
  readonly signal?: AbortSignal;
}

const STEP_TEXTS = {
  copying: 'copying PostgreSQL to where its user can run it',
  initializing: 'making the database (first start)',
  starting: 'starting PostgreSQL',
  adopting: 'finding PostgreSQL already running',
  ready: 'PostgreSQL answers',
} as const;

/** An own server: nothing to start and nothing to stop. */
export function externalDatabase(url: string): StackDatabase {
  return { url, isEmbedded: false, isAdopted: false, stop: () => Promise.resolve() };
}

/** Starts embedded PostgreSQL and starts it again, on the same port, when it dies unasked. */
export async function keepPostgres(options: KeptPostgresOptions): Promise<StackDatabase> {
  const { dataDir, signal } = options;
  const start = (port: number | undefined): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      dataDir,
      ...(port === undefined ? {} : { port }),
      ...(signal ? { signal } : {}),
      onProgress: (step) => options.onProgress(STEP_TEXTS[step]),
    });
  let server = await start(options.port);
  const first = server;
  let isStopping = false;
  let restarting: Promise<void> | undefined;
  const deathsAtMs: number[] = [];

  const watch = (watched: EmbeddedPostgres): void => {
    void watched.exited.then((exit) => {
      if (!isStopping) restarting = restart(exit.code);
    });
  };
  const restart = async (exitCode: number | null): Promise<void> => {
    deathsAtMs.push(performance.now());
    const decision = decideRestart(exitCode, deathsAtMs, performance.now());
    if ('giveUp' in decision) {
      options.onGiveUp(new Error(`PostgreSQL does not run: ${decision.giveUp}. See ${server.logFile}.`));
      return;
    }
    options.onRestart('PostgreSQL ended and is started again.');
    await delay(decision.restartAfterMs);
    if (isStopping) return;
    try {
      server = await start(first.port);
      watch(server);
    } catch (error) {
      options.onGiveUp(error);
    }
  };
  watch(server);
  return {
    url: first.localUrl,
    isEmbedded: true,
    isAdopted: first.adopted,
    stop: async () => {
      isStopping = true;
      await restarting;
      await server.stop();
    },
  };
}
