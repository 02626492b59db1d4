import type { Capability, SamplesView, WorkerStatsView, WorkerStatus, WorkerView } from '@muster/protocol';
import type { CallOptions, Http } from './http.js';
import { eachOf, type PageOptions } from './paging.js';
import { readSamples, type SamplesOptions } from './samples.js';

export interface WorkerFilter extends PageOptions {
  readonly status?: readonly WorkerStatus[];
  readonly capability?: readonly Capability[];
  readonly contentType?: string;
  /** Conditions that must all hold, as in `driver>=550,zone=lab`. */
  readonly label?: string;
  /** Whether it would be offered a job now. */
  readonly available?: boolean;
  readonly owner?: string;
  /** Also those that were removed. */
  readonly includeRemoved?: boolean;
  /** Part of the name, in any case. */
  readonly text?: string;
}

/** `muster.workers`: the machines and what they can do. */
export class Workers {
  constructor(private readonly http: Http) {}

  list(filter: WorkerFilter = {}): AsyncGenerator<WorkerView, void, undefined> {
    const { status, capability, contentType, label, available, owner, includeRemoved, text: q } = filter;
    return eachOf(this.http, '/workers', { status, capability, contentType, label, available, owner, includeRemoved, q }, filter);
  }

  /** How many there are, by status and by capability, and how many would be offered a job now. */
  async stats(options: CallOptions = {}): Promise<WorkerStatsView> {
    return this.http.json('GET', '/workers/stats', options);
  }

  async get(workerId: string, options: CallOptions = {}): Promise<WorkerView> {
    return this.http.json('GET', `/workers/${encodeURIComponent(workerId)}`, options);
  }

  /** How the machine and its GPUs went over time, or what one attempt (its id) used there. */
  async samples(workerId: string, options: SamplesOptions & { readonly attempt?: string } = {}): Promise<SamplesView> {
    return readSamples(this.http, `/workers/${encodeURIComponent(workerId)}/samples`, options, { attempt: options.attempt });
  }
}
