import type { LogMatchesView, LogPageView, LogStream, LogStreamState } from '@muster/protocol';
import { fromBase64 } from './base64.js';
import { piecesOf, type CallOptions, type Http } from './http.js';
import { pathOf } from './jobs.js';
import { followLog, type FollowOptions } from './log-follow.js';
import type { LogEvent } from './log-join.js';

export interface LogReadOptions extends CallOptions {
  /** Number of the attempt; the newest unless given. */
  readonly attempt?: number;
  /** `output` unless given. */
  readonly stream?: LogStream;
}

export interface LogPageOptions extends LogReadOptions {
  /** First byte; 0 unless a line is given. */
  readonly offset?: number;
  /** First line, from 0. */
  readonly line?: number;
  /** At most this many lines. */
  readonly lines?: number;
  /** At most this many bytes, up to 1,048,576. */
  readonly limitBytes?: number;
}

/** A stretch of a log: bytes as printed, or a gap, which has none. */
export interface LogSegment {
  readonly offset: number;
  readonly length: number;
  /** Null in a gap: bytes that were printed and not kept. */
  readonly bytes: Uint8Array | null;
  readonly readAt: string;
}

/** A piece of one stream; its segments follow one another without a hole. */
export interface LogPage extends Omit<LogPageView, 'segments' | 'log'> {
  readonly segments: readonly LogSegment[];
  readonly log: LogStreamState;
}

/** A stream of an attempt as it stood when it was asked for. */
export interface LogDownload {
  readonly attemptId: string;
  /** `complete`: every byte that was printed is stored. */
  readonly state: LogStreamState['state'];
  /** Lower-case hex SHA-256 of the bytes, as the worker computed it; null until the attempt ended. */
  readonly sha256: string | null;
  /** Throws `Unreachable` when it breaks off, so that a part is never taken for the whole. */
  readonly bytes: AsyncGenerator<Uint8Array, void, undefined>;
}

export interface LogSearchOptions extends LogReadOptions {
  /** First byte to search. */
  readonly offset?: number;
}

/** `muster.logs`: what jobs printed. */
export class Logs {
  constructor(private readonly http: Http) {}

  /**
   * History, then live output of all attempts, until the job is final and its log complete. Lost connections are taken
   * up again where they broke: no byte is missing and none comes twice. Stop it with the signal or by leaving the loop.
   */
  follow(jobId: string, options: FollowOptions = {}): AsyncGenerator<LogEvent, void, undefined> {
    return followLog(this.http, `${pathOf(jobId)}/logs`, options);
  }

  /** One piece of one stream of one attempt, by byte or by line. */
  async read(jobId: string, options: LogPageOptions = {}): Promise<LogPage> {
    const { signal, ...query } = options;
    const page = await this.http.json<LogPageView>('GET', `${pathOf(jobId)}/logs`, { query, signal });
    const segments = page.segments.map(({ offset, length, base64, readAt }) => ({
      offset,
      length,
      bytes: base64 === undefined ? null : fromBase64(base64),
      readAt,
    }));
    return { ...page, segments };
  }

  /** Where a text stands in one stream of one attempt, from `offset` on; goes on at `nextOffset` unless it is complete. */
  async search(jobId: string, text: string, options: LogSearchOptions = {}): Promise<LogMatchesView> {
    const { signal, ...query } = options;
    return this.http.json('GET', `${pathOf(jobId)}/logs`, { query: { ...query, q: text }, signal });
  }

  /** The raw bytes of one stream of one attempt, as far as they are stored now. */
  async *download(jobId: string, options: LogReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    yield* (await this.open(jobId, options)).bytes;
  }

  /** The same with what is known about the whole: whether it is complete, and its digest. */
  async open(jobId: string, options: LogReadOptions = {}): Promise<LogDownload> {
    const { signal, ...query } = options;
    const response = await this.http.stream(`${pathOf(jobId)}/logs/download`, '*/*', { query, signal });
    const state = LOG_STATES.find((known) => known === response.headers.get('x-muster-log-state')) ?? 'live';
    return {
      attemptId: response.headers.get('x-muster-attempt') ?? '',
      state,
      sha256: response.headers.get('x-muster-log-sha256'),
      bytes: this.bytesOf(response, signal),
    };
  }

  private async *bytesOf(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* piecesOf(response);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.http.toUnreachable(error);
    }
  }
}

const LOG_STATES = ['live', 'draining', 'complete', 'missing', 'removed'] as const satisfies readonly LogStreamState['state'][];
