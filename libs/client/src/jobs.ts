import { FINAL_JOB_STATUSES, LIMITS } from '@muster/protocol';
import type {
  AttemptView,
  DisconnectPolicy,
  EventView,
  ExplainView,
  JobSpec,
  JobStatus,
  JobView,
  MetricPointView,
  Page,
  RetryPolicy,
  RunSpec,
  SamplesView,
} from '@muster/protocol';
import { IllegalTransition, InvalidRequest, TryLater, Unreachable, WaitTimedOut } from './errors.js';
import type { CallOptions, Http } from './http.js';
import { eachOf, type PageOptions } from './paging.js';
import { readSamples, type SamplesOptions } from './samples.js';

/** What is asked for: only `run` must be given, the control plane fills in the rest. */
export interface JobSubmission extends Partial<Omit<JobSpec, 'run' | 'retry' | 'disconnect' | 'logs'>> {
  readonly run: RunSpec;
  readonly retry?: Partial<RetryPolicy>;
  readonly disconnect?: Partial<DisconnectPolicy>;
  readonly logs?: { readonly separate?: boolean };
}

export interface SubmitOptions extends CallOptions {
  /** Two submits with the same key make one job. Made anew for each call unless given, so that retries are safe. */
  readonly idempotencyKey?: string;
}

/** Which jobs; several conditions must all hold. */
export interface JobFilter extends PageOptions {
  readonly status?: readonly JobStatus[];
  /** Label name → value. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly owner?: string;
  readonly workerId?: string;
  /** Part of the name, in any case. */
  readonly text?: string;
  /** First characters of the id. */
  readonly idPrefix?: string;
}

export interface CancelOptions extends CallOptions {
  /** KILL at once, without the stop signal and the grace. */
  readonly force?: boolean;
  /** Why, for those who read the events later. */
  readonly reason?: string;
}

export interface PauseOptions extends CallOptions {
  /** Why, for those who read the events later. */
  readonly reason?: string;
}

export interface WaitOptions extends CallOptions {
  /** Gives up, with `WaitTimedOut`, after this time; waits for ever unless given. The job goes on. */
  readonly timeoutMs?: number;
  /** Statuses that end the wait; the final ones unless given. A final job always ends it. */
  readonly until?: readonly JobStatus[];
}

const WAIT_POLL_MIN_MS = 150;
const WAIT_POLL_MAX_MS = 2_000;

/** True for a job that nothing will change any more. */
export function isFinal(status: JobStatus): boolean {
  return (FINAL_JOB_STATUSES as readonly JobStatus[]).includes(status);
}

/** `muster.jobs`: submit, look, steer, wait. */
export class Jobs {
  constructor(private readonly http: Http) {}

  /** Submits one job. Returns once the control plane has stored it: from then on it is not lost. */
  async submit(job: JobSubmission, options: SubmitOptions = {}): Promise<JobView> {
    return this.post<JobView>(job, options);
  }

  /** Submits up to 100 jobs, all or none, in the order given. */
  async submitMany(jobs: readonly JobSubmission[], options: SubmitOptions = {}): Promise<readonly JobView[]> {
    const { data } = await this.post<Pick<Page<JobView>, 'data'>>({ jobs }, options);
    return data;
  }

  async get(jobId: string, options: CallOptions = {}): Promise<JobView> {
    return this.http.json('GET', pathOf(jobId), options);
  }

  /** Newest first, page after page, until the list or the reader ends. */
  list(filter: JobFilter = {}): AsyncGenerator<JobView, void, undefined> {
    const { status, labels, owner, workerId, text, idPrefix } = filter;
    const label = Object.entries(labels ?? {}).map(([key, value]) => `${key}:${value}`);
    return eachOf(this.http, '/jobs', { status, label, owner, worker: workerId, q: text, prefix: idPrefix }, filter);
  }

  /**
   * Asks for the job's end; its processes are being stopped when this returns. Asking again is harmless: a job that is
   * cancelled already is returned as it is.
   */
  async cancel(jobId: string, options: CancelOptions = {}): Promise<JobView> {
    try {
      return await this.http.json('POST', `${pathOf(jobId)}/cancel`, {
        body: { force: options.force ?? false, reason: options.reason },
        signal: options.signal,
        isRepeatable: true,
      });
    } catch (error) {
      if (error instanceof IllegalTransition && error.currentState === 'cancelled') return this.get(jobId, options);
      throw error;
    }
  }

  /**
   * Asks for the job to be frozen where it runs, or held out of line where it has no process. It is `paused` when that is
   * so: `wait(jobId, { until: ['paused'] })`. Asking again is harmless. `IllegalTransition` when it is final or being
   * cancelled.
   */
  async pause(jobId: string, options: PauseOptions = {}): Promise<JobView> {
    const { reason, signal } = options;
    return this.http.json('POST', `${pathOf(jobId)}/pause`, { body: { reason }, signal, isRepeatable: true });
  }

  /** Lets a paused job go on from where it stands, or puts it back in line. Asking again is harmless. */
  async resume(jobId: string, options: PauseOptions = {}): Promise<JobView> {
    const { reason, signal } = options;
    return this.http.json('POST', `${pathOf(jobId)}/resume`, { body: { reason }, signal, isRepeatable: true });
  }

  /**
   * Takes the job back from a worker that does not answer; it waits for another one. `IllegalTransition` while its worker
   * answers. Not sent twice by itself: when nobody answered, look at the job first.
   */
  async requeue(jobId: string, options: CallOptions = {}): Promise<JobView> {
    return this.http.json('POST', `${pathOf(jobId)}/requeue`, options);
  }

  /**
   * Gives the job up although its worker does not answer and its process may still be running: it is final when this
   * returns. `IllegalTransition` while its worker answers.
   */
  async abandon(jobId: string, options: CallOptions = {}): Promise<JobView> {
    return this.http.json('POST', `${pathOf(jobId)}/abandon`, options);
  }

  /** Every try made so far, oldest first. */
  async attempts(jobId: string, options: CallOptions = {}): Promise<readonly AttemptView[]> {
    const { data } = await this.http.json<Pick<Page<AttemptView>, 'data'>>('GET', `${pathOf(jobId)}/attempts`, options);
    return data;
  }

  /** What happened to the job, oldest first. */
  events(jobId: string, options: PageOptions = {}): AsyncGenerator<EventView, void, undefined> {
    return eachOf(this.http, `${pathOf(jobId)}/events`, {}, options);
  }

  /** What it measured (`MUSTER_METRICS`), in the order it was printed, of all attempts. */
  metrics(jobId: string, options: PageOptions = {}): AsyncGenerator<MetricPointView, void, undefined> {
    return eachOf(this.http, `${pathOf(jobId)}/metrics`, {}, options);
  }

  /** What an attempt used over time: its number or its id, the newest unless told. */
  async samples(jobId: string, options: SamplesOptions & { readonly attempt?: number | string } = {}): Promise<SamplesView> {
    return readSamples(this.http, `${pathOf(jobId)}/samples`, options, { attempt: options.attempt });
  }

  /** Why the job is where it is, worker by worker while it waits. */
  async explain(jobId: string, options: CallOptions = {}): Promise<ExplainView> {
    return this.http.json('GET', `${pathOf(jobId)}/explain`, options);
  }

  /** Waits until the job is final, or in one of `until`. Outages on the way are waited out like everything else. */
  async wait(jobId: string, options: WaitOptions = {}): Promise<JobView> {
    const { timing } = this.http;
    const deadlineMs = timing.nowMs() + (options.timeoutMs ?? Number.POSITIVE_INFINITY);
    let job: JobView | null = null;
    for (let pollMs = WAIT_POLL_MIN_MS; ; pollMs = Math.min(WAIT_POLL_MAX_MS, pollMs * 1.5)) {
      job = (await this.look(jobId, options, job !== null)) ?? job;
      if (job !== null && (isFinal(job.status) || options.until?.includes(job.status))) return job;
      const leftMs = deadlineMs - timing.nowMs();
      if (leftMs <= 0) {
        throw new WaitTimedOut({
          code: 'waitTimedOut',
          status: null,
          detail: `Job ${jobId} is still ${job?.status ?? 'unknown'} after ${(options.timeoutMs ?? 0) / 1_000} s.`,
          hint: 'The job goes on; wait again or follow its log.',
        });
      }
      await timing.sleep(Math.min(leftMs, pollMs * (0.75 + timing.random() / 2)), options.signal);
    }
  }

  /** The job, or null in an outage: it is waited out once the job was seen, because the job goes on meanwhile. */
  private async look(jobId: string, options: CallOptions, wasSeen: boolean): Promise<JobView | null> {
    try {
      return await this.get(jobId, options);
    } catch (error) {
      if (wasSeen && (error instanceof Unreachable || error instanceof TryLater)) return null;
      throw error;
    }
  }

  private async post<T>(body: unknown, options: SubmitOptions): Promise<T> {
    refuseTooLarge(body);
    const idempotencyKey = options.idempotencyKey ?? globalThis.crypto.randomUUID();
    return this.http.json('POST', '/jobs', {
      body,
      headers: { 'idempotency-key': idempotencyKey },
      signal: options.signal,
      isRepeatable: true,
    });
  }
}

/** Before it is sent: a control plane that stops reading in the middle looks like one that broke down. */
function refuseTooLarge(body: unknown): void {
  const bytes = new TextEncoder().encode(JSON.stringify(body)).length;
  if (bytes <= LIMITS.jobSubmitBytesMax) return;
  throw new InvalidRequest({
    code: 'bodyTooLarge',
    status: null,
    detail: `The submission has ${bytes} bytes, the limit is ${LIMITS.jobSubmitBytesMax}.`,
    hint: 'Submit fewer jobs at once, or pass large input as a file.',
  });
}

/** Path of one job; the id is escaped, so that no text becomes another path. */
export function pathOf(jobId: string): string {
  return `/jobs/${encodeURIComponent(jobId)}`;
}
