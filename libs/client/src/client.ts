import type { MeView, MetaView, StatsView } from '@muster/protocol';
import { Http, type CallOptions, type MusterOptions, type RequestOptions } from './http.js';
import { Jobs } from './jobs.js';
import { Keys } from './keys.js';
import { Logs } from './logs.js';
import { Workers } from './workers.js';

/**
 * A control plane as seen by one key. Holds no connection: making one costs nothing and it needs no closing.
 *
 * ```ts
 * const muster = new Muster({ url: 'http://127.0.0.1:6878', key });
 * const job = await muster.jobs.submit({ run: { command: ['node', 'train.mjs'] } });
 * for await (const event of muster.logs.follow(job.id)) if (event.type === 'log') process.stdout.write(event.bytes);
 * ```
 */
export class Muster {
  readonly jobs: Jobs;
  readonly logs: Logs;
  readonly workers: Workers;
  readonly keys: Keys;
  private readonly http: Http;

  constructor(options: MusterOptions) {
    this.http = new Http(options);
    this.jobs = new Jobs(this.http);
    this.logs = new Logs(this.http);
    this.workers = new Workers(this.http);
    this.keys = new Keys(this.http);
  }

  /** The control plane's address, without a slash at the end. */
  get url(): string {
    return this.http.url;
  }

  /** Version and limits of the control plane. */
  async meta(options: CallOptions = {}): Promise<MetaView> {
    return this.http.json('GET', '/meta', options);
  }

  /** How many jobs there are by status, since when the oldest waits, and what moved lately. */
  async stats(options: CallOptions = {}): Promise<StatsView> {
    return this.http.json('GET', '/stats', options);
  }

  /** Whose key this is and what it may do. */
  async me(options: CallOptions = {}): Promise<MeView> {
    return this.http.json('GET', '/me', options);
  }

  /**
   * Any request, for paths this library has no method for.
   *
   * @param path below `/api/v1`, or a whole path beginning with `/api/`
   */
  async request<T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return this.http.json<T>(method, path, options);
  }
}
