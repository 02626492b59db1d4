import type { ClaimView, EndAck, HeartbeatView, Problem, RegisteredWorkerView, RenewedView, StartAck } from '@muster/protocol';
import { Rest, type Answer } from './rest.js';
import type { Harness } from './control-plane-harness.js';

export const EXTERNAL = { run: { external: { kind: 'http', payload: { n: 7 } } } } as const;

export interface HttpWorkerOptions {
  readonly url?: string;
  readonly key?: string;
  readonly name?: string;
  readonly slots?: number;
}

/** A worker over real HTTP, as a program of somebody else would be: it knows what it was answered, and nothing more. */
export class HttpWorker {
  private constructor(
    readonly rest: Rest,
    readonly id: string,
    readonly session: number,
    readonly registered: RegisteredWorkerView,
  ) {}

  static async register(harness: Harness, { url = harness.controlPlane.url, key = harness.workerKey, name = 'lab-3', slots = 1 }: HttpWorkerOptions = {}): Promise<HttpWorker> {
    const rest = new Rest(url, key);
    const { status, body } = await rest.post<RegisteredWorkerView>('/workers/register', { name, slots });
    if (status !== 200) throw new Error(`not registered: ${JSON.stringify(body)}`);
    return new HttpWorker(rest, body.workerId, body.session, body);
  }

  /** The same worker at another replica. */
  at(url: string): HttpWorker {
    return new HttpWorker(new Rest(url, this.rest.key), this.id, this.session, this.registered);
  }

  beat(body: object = {}): Promise<Answer<HeartbeatView & Problem>> {
    return this.rest.post(`/workers/${this.id}/heartbeat`, { session: this.session, ...body });
  }

  ask(waitSeconds = 20): Promise<Answer<ClaimView & Problem>> {
    return this.rest.post(`/workers/${this.id}/claim`, { session: this.session, waitSeconds });
  }

  /** Asks, and is given a job. */
  async claim(waitSeconds = 20): Promise<ClaimedJob> {
    const { status, body } = await this.ask(waitSeconds);
    if (status !== 200) throw new Error(`no job: ${status} ${JSON.stringify(body)}`);
    return new ClaimedJob(this.rest.url, body, this);
  }

  /** Asks, and begins what it is given. */
  async take(): Promise<ClaimedJob> {
    const claimed = await this.claim();
    const { body } = await claimed.start();
    if (body.kind !== 'go') throw new Error(`not started: ${JSON.stringify(body)}`);
    return claimed;
  }
}

export class ClaimedJob {
  /** By the token of the attempt. */
  readonly job: Rest;
  readonly jobId: string;
  readonly attemptId: string;
  readonly epoch: number;

  constructor(url: string, readonly claim: ClaimView, readonly worker: HttpWorker) {
    this.job = new Rest(url, claim.jobToken);
    this.jobId = claim.job.id;
    this.attemptId = claim.attempt.id;
    this.epoch = claim.attempt.epoch;
  }

  get execution(): { attemptId: string; epoch: number; state: string } {
    return { attemptId: this.attemptId, epoch: this.epoch, state: 'running' };
  }

  call<T>(verb: string, body: object = {}, by: Rest = this.job): Promise<Answer<T & Problem>> {
    return by.post(`/attempts/${this.attemptId}/${verb}`, body);
  }

  start(body: object = {}): Promise<Answer<StartAck & Problem>> {
    return this.call('start', body);
  }

  renew(body: object = {}): Promise<Answer<RenewedView & Problem>> {
    return this.call('renew', body);
  }

  log(offset: number, text: string): Promise<Answer<{ storedLength: number } & Problem>> {
    return this.call('logs', { offset, text });
  }

  complete(body: object = { outcome: 'succeeded' }): Promise<Answer<EndAck & Problem>> {
    return this.call('complete', body);
  }
}
