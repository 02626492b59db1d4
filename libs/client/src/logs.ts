import type { LogStream } from '@muster/protocol';
import { Unreachable } from './errors.js';
import type { CallOptions, Http } from './http.js';
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
  /** At most this many bytes, up to 1,048,576. */
  readonly limitBytes?: number;
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

  /** The raw bytes of one stream of one attempt, as far as they are stored now. */
  async *download(jobId: string, options: LogReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { attempt, stream, signal } = options;
    const response = await this.http.stream(`${pathOf(jobId)}/logs/download`, '*/*', {
      query: { attempt, stream },
      signal,
    });
    if (response.body === null) return;
    try {
      yield* response.body;
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof Unreachable ? error : this.http.toUnreachable(error);
    }
  }
}
