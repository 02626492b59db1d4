import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../../src/api.js';

const ANSWER_TIMEOUT_MS = 4_000;

/** REST as a patient person uses it: asks one replica after the other, again and again, until one answers. */
export class ChaosApi {
  constructor(
    private readonly urls: readonly string[],
    private readonly key: string,
  ) {}

  /** @param patienceMs gives up after that; a write must be safe to repeat */
  async request<T>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    const untilMs = performance.now() + (options.patienceMs ?? 120_000);
    let last: unknown;
    for (let turn = options.firstReplica ?? 0; performance.now() < untilMs; turn++) {
      try {
        const answer = await this.ask<T>(this.urls[turn % this.urls.length] ?? '', method, path, options);
        if (answer.status < 500) return answer;
        last = `${answer.status}: ${JSON.stringify(answer.body)}`;
      } catch (error) {
        last = error;
      }
      await delay(150);
    }
    throw new Error(`No replica answered ${method} ${path}.`, { cause: last });
  }

  async get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const { status, body } = await this.request<T>('GET', path, options);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** The stored bytes of the newest attempt's log. Asked at rest: the first replica answers. */
  async log(id: string): Promise<Buffer> {
    const response = await fetch(`${this.urls[0]}/api/v1/jobs/${id}/logs/download`, { headers: this.headers() });
    if (!response.ok) throw new Error(`Download of ${id} answered ${response.status}: ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  private async ask<T>(
    url: string,
    method: string,
    path: string,
    { body, idempotencyKey }: RequestOptions,
  ): Promise<Answer<T>> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...this.headers(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T };
  }

  private headers(): Record<string, string> {
    return { authorization: `Bearer ${this.key}` };
  }
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly firstReplica?: number;
  readonly patienceMs?: number;
}
