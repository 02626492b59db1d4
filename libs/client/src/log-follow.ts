import type { LogFollowEvent, LogStream } from '@muster/protocol';
import { MusterError, TryLater, UnexpectedAnswer, Unreachable } from './errors.js';
import { piecesOf, type CallOptions, type Http } from './http.js';
import { LogJoin, type LogEvent, type LogHole } from './log-join.js';
import { SseParser, type ServerSentEvent } from './sse.js';
import { pauseMs } from './timing.js';

export interface FollowOptions extends CallOptions {
  /** Only this attempt's log; all of them, one after the other, unless given. */
  readonly attempt?: number;
  /** Only this stream; what the job prints, in all its streams, unless given. */
  readonly stream?: LogStream;
  /** Begin behind these bytes of this attempt's streams instead of at the beginning of the first attempt. */
  readonly after?: { readonly attemptId: string; readonly offsets: Partial<Readonly<Record<LogStream, number>>> };
  /** Told each time the connection is lost, before the pause that precedes the next one. */
  readonly onInterruption?: (error: MusterError, pauseMs: number) => void;
  /** A connection this long without a byte, while one is waited for, is taken for dead. Default 60 s; the control plane says something every 15 s. */
  readonly idleTimeoutMs?: number;
}

const RECONNECT = { baseMs: 500, maxMs: 15_000 };

/**
 * Follows a log over as many connections as it takes: history first, then live, each byte once. Ends after the `end`
 * event. Throws only what another connection cannot cure (a refused key, an unknown job), and `Unreachable` when not even
 * the first connection came about.
 */
export async function* followLog(
  http: Http,
  path: string,
  options: FollowOptions,
): AsyncGenerator<LogEvent, void, undefined> {
  const follower = new Follower(http, path, options);
  let failures = 0;
  for (;;) {
    let error: MusterError;
    try {
      for await (const event of follower.connection()) {
        failures = 0;
        yield event;
        if (event.type === 'end') return;
      }
      error = new Unreachable({
        code: 'unreachable',
        status: null,
        detail: `The log stream of ${http.url} ended early.`,
      });
    } catch (caught) {
      options.signal?.throwIfAborted();
      if (!isCurable(caught)) throw caught;
      error = caught;
    }
    failures += 1;
    if (!follower.wasConnected && failures >= http.retry.triesMax) throw error;
    const askedMs = error instanceof TryLater ? (error.retryAfterMs ?? 0) : 0;
    const ms = Math.max(
      askedMs,
      pauseMs(failures, follower.reconnect, () => http.timing.random()),
    );
    options.onInterruption?.(error, ms);
    await http.timing.sleep(ms, options.signal);
  }
}

/** One reader's place in the log, kept from connection to connection. */
class Follower {
  wasConnected = false;
  reconnect = RECONNECT;
  private readonly join = new LogJoin();
  private lastEventId: string;
  /** The hole that the present connection was opened to fill. */
  private askedFor: LogHole | null = null;

  constructor(
    private readonly http: Http,
    private readonly path: string,
    private readonly options: FollowOptions,
  ) {
    const { after } = options;
    this.lastEventId = after === undefined ? '' : [after.attemptId, ...Object.entries(after.offsets).flat()].join(':');
  }

  async *connection(): AsyncGenerator<LogEvent, void, undefined> {
    for await (const sent of this.sentEvents()) {
      const event = toFollowEvent(sent);
      if (event === null) continue;
      const taken = this.join.take(event);
      if (!isHole(taken)) {
        if (sent.id !== '') this.lastEventId = sent.id;
        yield* taken;
        continue;
      }
      if (this.askedFor !== null && isSamePlace(this.askedFor, taken)) {
        // Asked for and not given: those bytes are not there to be had.
        yield this.join.skip(taken);
        const rest = this.join.take(event);
        if (!isHole(rest)) yield* rest;
        this.askedFor = null;
        continue;
      }
      this.askedFor = taken;
      this.lastEventId = `${taken.attemptId}:${taken.stream}:${taken.offset}`;
      return;
    }
  }

  private async *sentEvents(): AsyncGenerator<ServerSentEvent, void, undefined> {
    const silence = new AbortController();
    const signal = this.options.signal ? AbortSignal.any([this.options.signal, silence.signal]) : silence.signal;
    const idleTimeoutMs = this.options.idleTimeoutMs ?? 60_000;
    const endIfSilent = (): ReturnType<typeof setTimeout> =>
      setTimeout(() => silence.abort(new Error(`nothing came for ${idleTimeoutMs / 1_000} s`)), idleTimeoutMs);
    let timer = endIfSilent();
    try {
      const response = await this.open(signal);
      const parser = new SseParser();
      for await (const bytes of piecesOf(response)) {
        // The time a reader takes over an event is no silence of the connection.
        clearTimeout(timer);
        yield* parser.push(bytes);
        timer = endIfSilent();
        if (parser.retryMs !== null) this.reconnect = { ...RECONNECT, baseMs: parser.retryMs };
      }
    } catch (error) {
      this.options.signal?.throwIfAborted();
      throw error instanceof MusterError ? error : this.http.toUnreachable(error);
    } finally {
      clearTimeout(timer);
      // Also ends the connection when the reader stops in the middle.
      silence.abort();
    }
  }

  private async open(signal: AbortSignal): Promise<Response> {
    const { attempt, stream } = this.options;
    const response = await this.http.streamOnce(this.path, 'text/event-stream', {
      query: { follow: true, attempt, stream },
      headers: this.lastEventId === '' ? {} : { 'last-event-id': this.lastEventId },
      signal,
    });
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream')) {
      this.wasConnected = true;
      return response;
    }
    throw new UnexpectedAnswer({
      code: 'unexpectedAnswer',
      status: response.status,
      detail: `Got ${type || 'a body without a type'} where an event stream was expected.`,
      hint: 'Check whether a proxy stands between here and the control plane.',
    });
  }
}

function toFollowEvent(sent: ServerSentEvent): LogFollowEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(sent.data);
  } catch {
    return null;
  }
  // Kinds of event that later versions add are not ours to judge.
  const type = (value as { type?: unknown } | null)?.type;
  return type === 'log' || type === 'gap' || type === 'attempt' || type === 'status' || type === 'end'
    ? (value as LogFollowEvent)
    : null;
}

function isHole(taken: readonly LogEvent[] | LogHole): taken is LogHole {
  return !Array.isArray(taken);
}

function isSamePlace(one: LogHole, other: LogHole): boolean {
  return one.attemptId === other.attemptId && one.stream === other.stream && one.offset === other.offset;
}

function isCurable(error: unknown): error is MusterError {
  return (
    error instanceof Unreachable ||
    error instanceof TryLater ||
    (error instanceof MusterError && error.code === 'internal')
  );
}
