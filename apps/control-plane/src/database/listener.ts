import pg from 'pg';
import { Backoff, type Logger } from '@muster/runtime';

export interface ListenerOptions {
  readonly url: string;
  readonly channel: string;
  readonly onMessage: (payload: string) => void;
  /** After every connect, the first included: whatever was said meanwhile was missed, so look for yourself. */
  readonly onConnected: () => void;
  readonly log: Logger;
}

/** How often a quiet connection is asked whether it is still there. */
const PROBE_MS = 5_000;

/** Keeps one connection on `LISTEN`, reconnecting for ever. Messages may be missed; a poll must be the truth. */
export class Listener {
  private readonly backoff = new Backoff({ baseMs: 200, maxMs: 3_000, minMs: 50 });
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(private readonly options: ListenerOptions) {}

  start(): void {
    void this.connect();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.options.url,
      application_name: 'muster listener',
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
      keepAlive: true,
    });
    this.client = client;
    let isOver = false;
    const lost = (error?: unknown): void => {
      if (isOver) return;
      isOver = true;
      if (this.client === client) this.client = undefined;
      client.end().catch(() => undefined);
      this.retry(error);
    };
    client.on('error', lost);
    client.on('end', () => lost());
    client.on('notification', ({ payload }) => this.options.onMessage(payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${pg.escapeIdentifier(this.options.channel)}`);
      this.backoff.reset();
      this.options.onConnected();
      this.probe(client, lost);
    } catch (error) {
      lost(error);
    }
  }

  private probe(client: pg.Client, lost: (error?: unknown) => void): void {
    this.timer = setTimeout(() => {
      client.query('select 1').then(() => this.client === client && this.probe(client, lost), lost);
    }, PROBE_MS);
    this.timer.unref();
  }

  private retry(error: unknown): void {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    const delayMs = this.backoff.nextDelayMs();
    if (this.backoff.failures === 1) this.options.log.warn({ reason: error instanceof Error ? error.message : undefined }, 'listening connection lost');
    this.timer = setTimeout(() => void this.connect(), delayMs);
    this.timer.unref();
  }
}
