import { API_BASE } from '@muster/protocol';
import { isWithoutTls, reasonOf, toBaseUrl } from './address.js';
import { TryLater, UnexpectedAnswer, Unreachable, toMusterError } from './errors.js';
import { DEFAULT_RETRY, pauseMs, systemTiming, type RetryOptions, type Timing } from './timing.js';
import { CLIENT_VERSION } from './version.js';

export interface MusterOptions {
  /** Address of the control plane, with a path when it lives below one: `http://127.0.0.1:6878`. */
  readonly url: string;
  /** Secret of a key; sent as a bearer token, never in a URL. Without one only public paths answer. */
  readonly key?: string;
  /** The `fetch` to use; the platform's unless given. */
  readonly fetch?: typeof fetch;
  /** Names the program in the control plane's log. */
  readonly userAgent?: string;
  readonly retry?: Partial<RetryOptions>;
  /** Longest wait for one plain answer, retries not counted. Streams have none. Default 30 s. */
  readonly timeoutMs?: number;
  readonly timing?: Timing;
}

export type QueryValue = string | number | boolean | readonly string[] | null | undefined;

export interface RequestOptions {
  /** Lists are joined by commas; null and undefined are left out. */
  readonly query?: Readonly<Record<string, QueryValue>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Whether doing it twice equals doing it once: only then it is tried again. GET and HEAD are unless told otherwise. */
  readonly isRepeatable?: boolean;
}

/** What every method of this library takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

const RETRY_AFTER_MAX_MS = 30_000;

/** The one place that speaks HTTP: address, key, problem documents, retries. */
export class Http {
  readonly timing: Timing;
  readonly retry: RetryOptions;
  /** The control plane's address without a slash at the end. */
  readonly url: string;
  private readonly fetch: typeof fetch;
  private readonly timeoutMs: number;
  private readonly headers: Readonly<Record<string, string>>;

  constructor(options: MusterOptions) {
    this.url = toBaseUrl(options.url);
    this.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.timing = options.timing ?? systemTiming;
    this.headers = {
      'user-agent': options.userAgent ?? `muster-client/${CLIENT_VERSION}`,
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
    };
  }

  /** Sends the request and decodes the JSON of its answer; an empty answer gives null. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return this.withRetries(method, options, async () => {
      const timeout = AbortSignal.timeout(this.timeoutMs);
      const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
      const response = await this.send(method, path, 'application/json', { ...options, signal });
      return decode<T>(response, await this.transfer(response.text()));
    });
  }

  /** Sends a GET and returns the answer once its headers are there. The body may take as long as it likes. */
  async stream(path: string, accept: string, options: RequestOptions = {}): Promise<Response> {
    return this.withRetries('GET', options, () => this.streamOnce(path, accept, options));
  }

  /** Like `stream`, tried once: for callers that have their own way to go on. */
  async streamOnce(path: string, accept: string, options: RequestOptions = {}): Promise<Response> {
    return this.send('GET', path, accept, options);
  }

  /** What a failed `fetch` or a broken body means. */
  toUnreachable(error: unknown): Unreachable {
    return new Unreachable({
      code: 'unreachable',
      status: null,
      detail: `No answer from ${this.url}: ${reasonOf(error)}.`,
      hint: isWithoutTls(error)
        ? `Try ${this.url.replace(/^https:/, 'http:')}: it seems to speak plain HTTP.`
        : 'Check the address, and that the control plane runs.',
      cause: error,
    });
  }

  private async withRetries<T>(method: string, options: RequestOptions, attempt: () => Promise<T>): Promise<T> {
    const isRepeatable = options.isRepeatable ?? (method === 'GET' || method === 'HEAD');
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        // An abort by the caller has the caller's reason, wherever it struck.
        options.signal?.throwIfAborted();
        const mayHelp = error instanceof Unreachable || error instanceof TryLater;
        if (!isRepeatable || !mayHelp || failures >= this.retry.triesMax) throw error;
        const askedMs = error instanceof TryLater ? (error.retryAfterMs ?? 0) : 0;
        const ownMs = pauseMs(failures, this.retry, () => this.timing.random());
        await this.timing.sleep(Math.min(RETRY_AFTER_MAX_MS, Math.max(askedMs, ownMs)), options.signal);
      }
    }
  }

  private async send(method: string, path: string, accept: string, options: RequestOptions): Promise<Response> {
    const hasBody = options.body !== undefined;
    const response = await this.transfer(
      this.fetch(this.addressOf(path, options.query), {
        method,
        headers: {
          ...this.headers,
          accept,
          ...(hasBody ? { 'content-type': 'application/json' } : {}),
          ...options.headers,
        },
        body: hasBody ? JSON.stringify(options.body) : undefined,
        signal: options.signal,
        // A key must not follow a redirect to another host.
        redirect: 'error',
      }),
    );
    if (response.ok) return response;
    throw toMusterError(response.status, parsed(await this.transfer(response.text())), response.headers);
  }

  private addressOf(path: string, query: RequestOptions['query']): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
      parameters.set(name, Array.isArray(value) ? value.join(',') : String(value));
    }
    const text = parameters.toString();
    const whole = path.startsWith('/api/') ? path : `${API_BASE}${path}`;
    return `${this.url}${whole}${text === '' ? '' : `${whole.includes('?') ? '&' : '?'}${text}`}`;
  }

  private async transfer<T>(pending: Promise<T>): Promise<T> {
    try {
      return await pending;
    } catch (error) {
      throw this.toUnreachable(error);
    }
  }
}

/** The pieces of a body as they come. By reader, because not every browser lets one loop over a stream. */
export async function* piecesOf(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // A reader who leaves early must not keep the connection.
    await reader.cancel().catch(() => undefined);
  }
}

function decode<T>(response: Response, text: string): T {
  if (text === '') return null as T;
  const value = parsed(text);
  if (value !== undefined) return value as T;
  throw new UnexpectedAnswer({
    code: 'unexpectedAnswer',
    status: response.status,
    detail: `Got ${response.headers.get('content-type') ?? 'a body without a type'} where JSON was expected.`,
    hint: 'Check that the address is that of a Muster control plane.',
    requestId: response.headers.get('x-request-id'),
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
