import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@muster/testing';
import type { Answer } from '../../src/api.js';
import type { ChaosApi, RequestOptions } from '../cluster/chaos-api.js';
import { JobDeck, type ChaosJob } from './catalogue.js';

/** A job that was acknowledged: from then on Muster owes its end. */
export interface OwedJob extends ChaosJob {
  readonly id: string;
  /** Set before the first cancel is sent: from then on `cancelled` is one of its right ends. */
  cancelAsked: boolean;
}

export interface FeederOptions {
  readonly api: ChaosApi;
  readonly chance: Random;
  readonly marksFile: string;
  readonly marker: string;
  /** Jobs that are kept unfinished at once. */
  readonly target: number;
}

const LOOK_MS = 400;
const UNFINISHED = '/api/v1/jobs?status=queued,assigned,running,paused&limit=200';

/** People: submits jobs so that there are always enough, and cancels, pauses and resumes some. */
export class Feeder {
  readonly owed = new Map<string, OwedJob>();
  private readonly busy = new Set<Promise<void>>();
  private readonly failures: unknown[] = [];
  private isOver = false;
  private readonly deck: JobDeck;
  private count = 0;
  private loop: Promise<void> | null = null;

  constructor(private readonly options: FeederOptions) {
    this.deck = new JobDeck(options.chance, options);
  }

  start(): void {
    this.loop = this.feed();
  }

  /** No more jobs; resolves when everything people had begun is acknowledged. */
  async stop(): Promise<void> {
    this.isOver = true;
    await this.loop;
    while (this.busy.size > 0) await Promise.all(this.busy);
    if (this.failures.length > 0) throw new AggregateError(this.failures, 'What people asked for was not answered.');
  }

  async unfinished(): Promise<readonly { id: string; status: string; name: string }[]> {
    const { data } = await this.options.api.get<{ data: { id: string; status: string; name: string }[] }>(UNFINISHED);
    return data;
  }

  private async feed(): Promise<void> {
    while (!this.isOver) {
      const active = await this.unfinished().then(
        ({ length }) => length + this.submitting,
        () => this.options.target,
      );
      for (let i = active; i < this.options.target && !this.isOver; i++) this.track(this.oneJob());
      await delay(LOOK_MS);
    }
  }

  private submitting = 0;

  private async oneJob(): Promise<void> {
    this.count += 1;
    const job = this.deck.deal();
    this.submitting += 1;
    const begin = { body: job.spec, idempotencyKey: randomUUID(), firstReplica: this.count };
    const { status, body } = await this.submit(begin).finally(() => (this.submitting -= 1));
    if (status !== 201 && status !== 200) throw new Error(`A submit was answered ${status}: ${JSON.stringify(body)}`);
    const owed: OwedJob = { ...job, id: body.id, cancelAsked: false };
    this.owed.set(owed.id, owed);
    if (owed.cancelAfterMs !== null) this.track(this.cancel(owed, owed.cancelAfterMs));
    if (owed.pause) this.track(this.pauseAndResume(owed, owed.pause));
  }

  /** 409: the first try of this very submit is still under way somewhere. */
  private async submit(options: RequestOptions): Promise<Answer<{ id: string }>> {
    for (;;) {
      const answer = await this.options.api.request<{ id: string }>('POST', '/api/v1/jobs', options);
      if (answer.status !== 409) return answer;
      await delay(LOOK_MS);
    }
  }

  private async cancel(job: OwedJob, afterMs: number): Promise<void> {
    await delay(afterMs);
    job.cancelAsked = true;
    await this.act(job, 'cancel', { force: job.forceCancel });
  }

  private async pauseAndResume(job: OwedJob, pause: NonNullable<ChaosJob['pause']>): Promise<void> {
    await delay(pause.afterMs);
    await this.act(job, 'pause');
    await delay(pause.lengthMs);
    await this.act(job, 'resume');
  }

  /** 409: it was over by then, which is no news to people who are late. */
  private async act(job: OwedJob, action: string, body?: unknown): Promise<void> {
    const { status, body: answer } = await this.options.api.request('POST', `/api/v1/jobs/${job.id}/${action}`, {
      body: body ?? {},
    });
    if (status >= 300 && status !== 409)
      throw new Error(`${action} of ${job.id} was answered ${status}: ${JSON.stringify(answer)}`);
  }

  private track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => void this.failures.push(error))
      .finally(() => this.busy.delete(tracked));
    this.busy.add(tracked);
  }
}
