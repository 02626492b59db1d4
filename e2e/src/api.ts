import type { AttemptView, JobView, Page, WorkerView } from '@muster/protocol';
import { eventually } from './eventually.js';

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** The REST interface, as curl would use it: the tests look at Muster from outside. */
export class Api {
  constructor(
    readonly url: string,
    private readonly key: string,
  ) {}

  async request<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T };
  }

  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.request<T>('GET', path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Submits one job; tries again while the control plane is away, under one Idempotency-Key. */
  async submit(spec: Record<string, unknown>): Promise<string> {
    const idempotencyKey = crypto.randomUUID();
    const { status, body } = await eventually('a submit is answered', async () => {
      const response = await fetch(`${this.url}/api/v1/jobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(spec),
      });
      return response.status >= 500 ? undefined : { status: response.status, body: (await response.json()) as JobView };
    });
    if (status >= 300) throw new Error(`Submit answered ${status}: ${JSON.stringify(body)}`);
    return body.id;
  }

  job(id: string): Promise<JobView> {
    return this.get(`/api/v1/jobs/${id}`);
  }

  async attempts(id: string): Promise<readonly AttemptView[]> {
    return (await this.get<Page<AttemptView>>(`/api/v1/jobs/${id}/attempts`)).data;
  }

  async workers(): Promise<readonly WorkerView[]> {
    return (await this.get<Page<WorkerView>>('/api/v1/workers')).data;
  }

  waitFor(id: string, what: string, wanted: (job: JobView) => boolean, timeoutMs = 90_000): Promise<JobView> {
    let last: JobView | undefined;
    return eventually(
      `job ${id} ${what}`,
      async () => {
        last = await this.job(id);
        return wanted(last) ? last : undefined;
      },
      timeoutMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; last seen: ${last?.status} (${last?.reason}, ${last?.reasonDetail})`, { cause: error });
    });
  }

  waitForEnd(id: string, timeoutMs = 90_000): Promise<JobView> {
    return this.waitFor(id, 'ends', (job) => ['completed', 'failed', 'cancelled'].includes(job.status), timeoutMs);
  }

  /**
   * Waits until the program of the newest attempt has printed. A job is shown as running from the moment its agent may
   * start it: an agent killed before it did gives the attempt back, and only output proves that a process exists.
   */
  async waitForOutput(id: string): Promise<void> {
    await eventually(`the job ${id} prints`, async () => {
      const stored = (await this.attempts(id)).at(-1)?.logs.output?.storedLength ?? 0;
      return stored > 0 ? true : undefined;
    });
  }

  /** The bytes of the log of the newest attempt, once every one is stored. */
  async completeLog(id: string, timeoutMs = 90_000): Promise<Buffer> {
    await eventually(
      `the log of ${id} is complete`,
      async () => ((await this.attempts(id)).at(-1)?.logs.output?.state === 'complete' ? true : undefined),
      timeoutMs,
    );
    return this.log(id);
  }

  async log(id: string): Promise<Buffer> {
    const response = await fetch(`${this.url}/api/v1/jobs/${id}/logs/download`, { headers: { authorization: `Bearer ${this.key}` } });
    if (!response.ok) throw new Error(`Download answered ${response.status}: ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }
}
