import type { WorkerStatsView, WorkerStatus, WorkerView } from '@muster/protocol';
import type { CallOptions, Http } from './http.js';
import { eachOf, type PageOptions } from './paging.js';

export interface WorkerFilter extends PageOptions {
  readonly status?: readonly WorkerStatus[];
  /** Part of the name, in any case. */
  readonly text?: string;
}

/** `muster.workers`: the machines and what they can do. */
export class Workers {
  constructor(private readonly http: Http) {}

  list(filter: WorkerFilter = {}): AsyncGenerator<WorkerView, void, undefined> {
    return eachOf(this.http, '/workers', { status: filter.status, q: filter.text }, filter);
  }

  /** How many there are, by status and by capability, and how many would be offered a job now. */
  async stats(options: CallOptions = {}): Promise<WorkerStatsView> {
    return this.http.json('GET', '/workers/stats', options);
  }

  async get(workerId: string, options: CallOptions = {}): Promise<WorkerView> {
    return this.http.json('GET', `/workers/${encodeURIComponent(workerId)}`, options);
  }
}
