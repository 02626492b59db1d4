import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { ReadLogQuery } from '@muster/dto';
import type { KeyId } from '@muster/protocol';
import type { Response } from 'express';
import { Announcements } from '../announcements.js';
import { isUnavailable } from '../database/database-errors.js';
import { KeyVerifier } from '../keys/key-verifier.js';
import type { Caller } from '../keys/caller.js';
import { parsePlace } from './follow-place.js';
import { LogChunks } from './log-chunks.js';
import { LogFollower } from './log-follower.js';
import { LogTargets } from './log-targets.js';
import { ReaderGone, SseSink } from './sse-sink.js';

/** The truth when no word of new bytes arrived. */
const POLL_MS = 1_000;
/** No two looks at the database are closer than this, so that a chatty job does not cost one per line. The first is at once. */
const GATHER_MS = 25;
const KEEP_ALIVE_MS = 15_000;
/** A revocation is usually announced; where no word of it arrives, this is how long it can go unnoticed. */
const KEY_WATCH_MS = 1_000;

/** Follows logs over HTTP. Every connection ends by itself: with the job, with its reader, its key, or this process. */
@Injectable()
export class LogFollow implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly running = new Map<AbortController, KeyId>();

  constructor(
    private readonly targets: LogTargets,
    private readonly chunks: LogChunks,
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
    const ended = await this.keys.endedAmong([...new Set(this.running.values())]).catch(() => new Set<KeyId>());
    for (const [ending, keyId] of this.running) if (ended.has(keyId)) ending.abort();
  }

  /** Answers problems as long as nothing was sent; afterwards the connection ends and the reader comes back. */
  async follow(jobId: string, query: ReadLogQuery, lastEventId: string | undefined, caller: Caller, response: Response): Promise<void> {
    const place = parsePlace(lastEventId);
    const first = await this.targets.followed(jobId, query.attempt);
    const ending = new AbortController();
    const bell = new Bell(ending.signal);
    const sink = new SseSink(response);
    const follower = new LogFollower({
      chunks: this.chunks,
      send: (event, id) => (ending.signal.aborted ? Promise.reject(new ReaderGone()) : sink.send(event, id)),
      nowMs: () => Date.now(),
      place,
      ...(query.stream === undefined ? {} : { stream: query.stream }),
    });
    const stopListening = this.listen(jobId, caller, follower, bell, ending);
    this.running.set(ending, caller.keyId);
    response.once('close', () => ending.abort());
    try {
      let isOver = await follower.turn(first);
      for (let quietMs = 0; !isOver && !ending.signal.aborted; ) {
        const isRung = await bell.wait(POLL_MS);
        quietMs = isRung ? 0 : quietMs + POLL_MS;
        if (quietMs >= KEEP_ALIVE_MS) {
          quietMs = 0;
          await sink.keepAlive();
        }
        isOver = ending.signal.aborted || (await follower.turn(await this.targets.followed(jobId, query.attempt)));
      }
    } catch (error) {
      if (!(error instanceof ReaderGone) && !isUnavailable(error)) throw error;
    } finally {
      stopListening();
      ending.abort();
      this.running.delete(ending);
      sink.end();
    }
  }

  private listen(jobId: string, caller: Caller, follower: LogFollower, bell: Bell, ending: AbortController): () => void {
    const stops = [
      this.announcements.on('log:appended', ({ logId }) => follower.isInterestedIn(logId) && bell.ring()),
      this.announcements.on('job:changed', (body) => body.jobId === jobId && bell.ring()),
      this.announcements.on('key:revoked', ({ keyId }) => keyId === caller.keyId && ending.abort()),
      this.announcements.on('announcements:missed', () => bell.ring()),
    ];
    return () => stops.forEach((stop) => stop());
  }

  private endAll(): void {
    for (const ending of this.running.keys()) ending.abort();
  }
}

/** Wakes one waiter; ringing while nobody waits is remembered. */
class Bell {
  private isRung = false;
  private wake: () => void = () => undefined;
  private servedMs = -Infinity;

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  ring(): void {
    this.isRung = true;
    this.wake();
  }

  /** Resolves when it was rung, at most `GATHER_MS` later; or after `longestMs`; or at the end. True when it was rung. */
  async wait(longestMs: number): Promise<boolean> {
    if (!this.isRung && !this.signal.aborted) await this.sleep(longestMs);
    const isRung = this.isRung;
    const gatherMs = this.servedMs + GATHER_MS - performance.now();
    if (isRung && gatherMs > 0 && !this.signal.aborted) await this.sleep(gatherMs, true);
    this.isRung = false;
    this.servedMs = performance.now();
    return isRung;
  }

  private sleep(durationMs: number, isDeaf = false): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.wake = () => {
        if (isDeaf && !this.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
