import type { Capability, DrainPolicy, EventView, SamplesView, WorkerStatsView, WorkerStatus, WorkerView } from '@muster/protocol';
import type { CallOptions, Http } from './http.js';
import { eachOf, type PageOptions } from './paging.js';
import { readSamples, type SamplesOptions } from './samples.js';

/** Which workers; several conditions must all hold. */
export interface WorkerFilter extends PageOptions {
  readonly status?: readonly WorkerStatus[];
  readonly capability?: readonly Capability[];
  /** They take this content type. */
  readonly contentType?: string;
  /** Conditions on labels, which must all hold: `driver>=550,zone=lab`. */
  readonly labels?: string;
  /** True: only those that would be offered a job now; false: only the others. */
  readonly isAvailable?: boolean;
  readonly owner?: string;
  /** Removed ones, too. */
  readonly withRemoved?: boolean;
  /** Part of the name, in any case. */
  readonly text?: string;
}

/** What people set above what the agent says of itself. Null gives it back to the agent; what is left out stays. */
export interface WorkerChanges {
  readonly name?: string | null;
  /** All of them: those of the agent do not count beside these. */
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly contentTypes?: readonly string[] | null;
  readonly capability?: Capability | null;
  /** Jobs it takes at once; of fewer, what runs above them ends by itself. */
  readonly slots?: number | null;
}

export interface WorkerOrder {
  /** Why, for those who see the worker. */
  readonly reason?: string;
}

export interface DrainOrder extends WorkerOrder {
  /** `wait` unless given: jobs end by themselves. */
  readonly policy?: DrainPolicy;
  /** From now, by the control plane's clock, until the policy acts on what still runs; 0 at once. `requeue` needs it. */
  readonly deadlineSeconds?: number;
}

/** `muster.workers`: the machines, what they can do, and what people order about them. */
export class Workers {
  constructor(private readonly http: Http) {}

  list(filter: WorkerFilter = {}): AsyncGenerator<WorkerView, void, undefined> {
    const query = {
      status: filter.status,
      capability: filter.capability,
      contentType: filter.contentType,
      label: filter.labels,
      available: filter.isAvailable,
      owner: filter.owner,
      includeRemoved: filter.withRemoved,
      q: filter.text,
    };
    return eachOf(this.http, '/workers', query, filter);
  }

  /** How many there are, by status and by capability, and how many would be offered a job now. */
  async stats(options: CallOptions = {}): Promise<WorkerStatsView> {
    return this.http.json('GET', '/workers/stats', options);
  }

  async get(workerId: string, options: CallOptions = {}): Promise<WorkerView> {
    return this.http.json('GET', pathOf(workerId), options);
  }

  /** Sets or gives back what the agent says of itself. It outlives restarts of the agent. */
  async update(workerId: string, changes: WorkerChanges, options: CallOptions = {}): Promise<WorkerView> {
    return this.http.json('PATCH', pathOf(workerId), { ...options, body: changes, isRepeatable: true });
  }

  /** No new jobs; what runs goes on. */
  async cordon(workerId: string, order: WorkerOrder = {}, options: CallOptions = {}): Promise<WorkerView> {
    return this.post(workerId, 'cordon', order, options);
  }

  /** No new jobs from the moment this is answered, and what runs comes to an end; `drain` of the answer tells how far it is. */
  async drain(workerId: string, order: DrainOrder = {}, options: CallOptions = {}): Promise<WorkerView> {
    return this.post(workerId, 'drain', order, options);
  }

  /** It takes jobs again. Ends a drain, and what it asked of jobs that still run, as well as a cordon. */
  async undrain(workerId: string, order: WorkerOrder = {}, options: CallOptions = {}): Promise<WorkerView> {
    return this.post(workerId, 'undrain', order, options);
  }

  /**
   * Takes it out of the list: its agent ends and cannot be this worker again, what it did stays readable. Refused while it
   * holds jobs, unless forced: then those wait for other workers.
   */
  async remove(workerId: string, { isForced, ...options }: CallOptions & { readonly isForced?: boolean } = {}): Promise<WorkerView> {
    return this.http.json('DELETE', pathOf(workerId), { ...options, query: { force: isForced }, isRepeatable: true });
  }

  /** What happened to it, oldest first. What happened to jobs there is told with the jobs. */
  events(workerId: string, options: PageOptions = {}): AsyncGenerator<EventView, void, undefined> {
    return eachOf(this.http, `${pathOf(workerId)}/events`, {}, options);
  }

  /** How the machine and its GPUs went over time, or what one attempt (its id) used there. */
  async samples(workerId: string, options: SamplesOptions & { readonly attempt?: string } = {}): Promise<SamplesView> {
    return readSamples(this.http, `${pathOf(workerId)}/samples`, options, { attempt: options.attempt });
  }

  private post(workerId: string, verb: string, body: object, options: CallOptions): Promise<WorkerView> {
    // Ordered twice is ordered once.
    return this.http.json('POST', `${pathOf(workerId)}/${verb}`, { ...options, body, isRepeatable: true });
  }
}

const pathOf = (workerId: string): string => `/workers/${encodeURIComponent(workerId)}`;
