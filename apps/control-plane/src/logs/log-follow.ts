import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { ReadLogQuery } from '@muster/dto';
import type { Response } from 'express';
import { Announcements } from '../announcements.js';
import { isUnavailable } from '../database/database-errors.js';
import { KeyVerifier } from '../keys/key-verifier.js';
import type { Caller } from '../keys/caller.js';
import { parsePlace } from './follow-place.js';
import { FollowSession } from './follow-session.js';
import { LogChunks } from './log-chunks.js';
import { LogFollower } from './log-follower.js';
import { LogTails } from './log-tails.js';
import { LogTargets } from './log-targets.js';
import { ReaderGone, SseSink } from './sse-sink.js';

/** A revocation is usually announced; where no word of it arrives, this is how long it can go unnoticed. */
const KEY_WATCH_MS = 1_000;

/** Follows logs over HTTP. Every connection ends by itself: with the job, with its reader, its key, or this process. */
@Injectable()
export class LogFollow implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly running = new Map<AbortController, Caller>();

  constructor(
    private readonly targets: LogTargets,
    private readonly chunks: LogChunks,
    private readonly tails: LogTails,
    private readonly announcements: Announcements,
    private readonly keys: KeyVerifier,
  ) {}

  onModuleDestroy(): void {
    this.endAll();
  }

  beforeApplicationShutdown(): void {
    this.endAll();
  }

  /** Ends the followers whose keys ended. One statement for all of them; never rejects. */
  @Interval(KEY_WATCH_MS)
  async watchKeys(): Promise<void> {
    if (this.running.size === 0) return;
    const ended = await this.keys.ended(this.running.values()).catch(() => () => undefined);
    for (const [ending, caller] of this.running) if (ended(caller) !== undefined) ending.abort();
  }

  /** Answers problems as long as nothing was sent; afterwards the connection ends and the reader comes back. */
  async follow(jobId: string, query: ReadLogQuery, lastEventId: string | undefined, caller: Caller, response: Response): Promise<void> {
    const place = parsePlace(lastEventId);
    const first = await this.targets.followed(jobId, query.attempt);
    const ending = new AbortController();
    const sink = new SseSink(response);
    const follower = new LogFollower({
      chunks: this.chunks,
      send: (event, id) => (ending.signal.aborted ? Promise.reject(new ReaderGone()) : sink.send(event, id)),
      nowMs: () => Date.now(),
      place,
      ...(query.stream === undefined ? {} : { stream: query.stream }),
    });
    const stopWatching = this.announcements.on('key:revoked', ({ keyId }) => keyId === caller.keyId && ending.abort());
    this.running.set(ending, caller);
    response.once('close', () => ending.abort());
    try {
      const { announcements, tails } = this;
      const look = (): ReturnType<LogTargets['followed']> => this.targets.followed(jobId, query.attempt);
      await new FollowSession({ jobId, follower, sink, announcements, tails, look, signal: ending.signal }).run(first);
    } catch (error) {
      if (!(error instanceof ReaderGone) && !isUnavailable(error)) throw error;
    } finally {
      stopWatching();
      ending.abort();
      this.running.delete(ending);
      sink.end();
    }
  }

  private endAll(): void {
    for (const ending of this.running.keys()) ending.abort();
  }
}
