import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Loop } from '@muster/runtime';
import { ADVISORY_LOCKS } from './advisory-locks.js';

/** The server takes the lock from a holder of which it has heard nothing for this long. */
const SILENT_MS = 20_000;
/** Between two looks whether the lock is free. No statement waits for it: one whose answer is lost would wait for ever. */
const LOOK_EVERY_MS = 200;

export interface MigrationLockOptions {
  /** 20 s unless told; the holder is heard four times as often. */
  readonly silentMs?: number;
  /** Gives up waiting for the lock. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does what only one replica at a time may do, while the others wait. The lock belongs to a transaction that says a word from time
 * to time: a replica that is killed gives it back at once, and one whose wire broke without the server being told when it
 * has been silent for long enough.
 */
export async function withMigrationLock(url: string, work: () => Promise<void>, { silentMs = SILENT_MS, signal }: MigrationLockOptions = {}): Promise<void> {
  const holder = new pg.Client({
    connectionString: url,
    application_name: 'muster migration lock',
    connectionTimeoutMillis: 5_000,
    query_timeout: silentMs,
    keepAlive: true,
    options: `-c idle_in_transaction_session_timeout=${silentMs}`,
  });
  // The next statement reports the loss; without a listener the event would end the process.
  holder.on('error', () => undefined);
  const words = new Loop({ name: 'migration lock', intervalMs: silentMs / 4, run: () => holder.query('select 1'), onError: () => undefined });
  try {
    await holder.connect();
    await holder.query('begin');
    while (!(await tryLock(holder))) await delay(LOOK_EVERY_MS, undefined, { signal });
    words.start();
    await work();
  } finally {
    await words.stop();
    await holder.end().catch(() => undefined);
  }
}

async function tryLock(holder: pg.Client): Promise<boolean> {
  const { rows } = await holder.query<{ is_mine: boolean }>('select pg_try_advisory_xact_lock($1) as is_mine', [ADVISORY_LOCKS.migrate]);
  return rows[0]?.is_mine === true;
}
