import type { Problem, Role } from '@muster/protocol';
import type { Harness } from './control-plane-harness.js';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
}

export interface Call {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** REST as one caller uses it: real HTTP, nothing decoded but JSON. */
export class Rest {
  constructor(
    readonly url: string,
    readonly key?: string,
  ) {}

  async send<T>(method: string, path: string, call: Call = {}): Promise<Answer<T>> {
    const body = call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.key === undefined ? {} : { authorization: `Bearer ${this.key}` }),
        ...call.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (isJson && text !== '' ? JSON.parse(text) : text) as T, text };
  }

  get<T>(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer<T>> {
    return this.send<T>('GET', `/api/v1${path}`, { headers });
  }

  post<T>(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<T>> {
    return this.send<T>('POST', `/api/v1${path}`, { body, headers });
  }

  /** A request that is expected to be refused. */
  async refused(method: string, path: string, call: Call = {}): Promise<Problem> {
    const answer = await this.send<Problem>(method, path, call);
    if (answer.status < 400) throw new Error(`${method} ${path} was not refused: ${answer.text.slice(0, 300)}`);
    return answer.body;
  }
}

/** A caller with a fresh key of this role; its owner is named like the role unless told. */
export async function restAs(harness: Harness, role: Role, owner?: string): Promise<Rest> {
  const { secret } = await harness.createKey(role, owner);
  return new Rest(harness.controlPlane.url, secret);
}
