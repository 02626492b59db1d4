/**
 * One reader of a growing log: history first, then live, every byte once. It holds no bytes of its own: each turn it
 * compares where the reader stands with what is stored, and sends the difference. Between turns it takes bytes that were
 * just stored, if they are exactly what comes next. Being told late, or not at all, only makes it later.
 */
import { isFinalJob } from '@muster/domain';
import { AGENT_LOG_STREAMS } from '@muster/protocol';
import type { AttemptId, LogFollowEvent, LogStream, LogStreamState } from '@muster/protocol';
import type { LogChunks, LogPiece } from './log-chunks.js';
import type { FreshPiece } from './log-tails.js';
import type { FollowedAttempt, FollowedJob } from './log-targets.js';
import { formatPlace } from './follow-place.js';
import type { FollowPlace } from './follow-place.js';

/** How long an ended attempt's missing bytes are waited for once none arrive any more. */
export const GIVE_UP_AFTER_MS = 30_000;

export interface FollowerParts {
  readonly chunks: Pick<LogChunks, 'read'>;
  readonly send: (event: LogFollowEvent, id?: string) => Promise<void>;
  readonly nowMs: () => number;
  /** Only this stream; otherwise all that the job's output is kept in. */
  readonly stream?: LogStream;
  readonly place: FollowPlace | null;
}

export class LogFollower {
  private readonly delivered = new Map<string, number>();
  private readonly announced = new Set<AttemptId>();
  private readonly passed = new Set<AttemptId>();
  private readonly logIds = new Set<AttemptId>();
  /** The attempt whose bytes come now, and the streams of it; null before one is known. */
  private current: { readonly attempt: FollowedAttempt; readonly streams: readonly LogStream[] } | null = null;
  private lastStatus = '';
  private resume: FollowPlace | null;
  private movedAtMs: number;

  constructor(private readonly parts: FollowerParts) {
    this.resume = parts.place;
    this.movedAtMs = parts.nowMs();
  }

  /** Sends what is new. True when nothing will ever follow: the `end` was sent. */
  async turn(job: FollowedJob): Promise<boolean> {
    await this.sendStatus(job);
    this.takeUp(job);
    for (const { logId } of job.attempts) this.logIds.add(logId);
    for (const [index, attempt] of job.attempts.entries()) {
      if (this.passed.has(attempt.id)) continue;
      this.current = { attempt, streams: this.streamsOf(job) };
      await this.sendAttempt(attempt);
      for (const stream of this.streamsOf(job)) await this.sendBytes(attempt, stream);
      const isLast = index === job.attempts.length - 1;
      if (!this.isOver(job, attempt) || (isLast && !isFinalJob(job.status))) return false;
      this.passed.add(attempt.id);
    }
    if (!isFinalJob(job.status)) return false;
    await this.parts.send({ type: 'end', status: job.status, logState: this.logState(job) });
    return true;
  }

  /** Sends bytes that were just stored. False when they are not what comes next: then only a turn finds out what does. */
  async take(piece: FreshPiece): Promise<boolean> {
    const { current } = this;
    if (current?.attempt.logId !== piece.logId) return false;
    if (!current.streams.includes(piece.stream)) return true;
    const from = this.deliveredOf(piece.logId, piece.stream);
    if (piece.offset + piece.length <= from) return true;
    if (piece.offset !== from) return false;
    await this.sendPiece(current.attempt, piece.stream, piece);
    return true;
  }

  /** Logs this follower has seen. */
  get followedLogs(): ReadonlySet<AttemptId> {
    return this.logIds;
  }

  /** Whether a stream that has come so far has bytes that were not sent. Other logs than those it has seen are none of its. */
  isBehind(logId: AttemptId, stream: LogStream, storedLength: number): boolean {
    const isOther = this.current !== null && !this.current.streams.includes(stream);
    return this.logIds.has(logId) && !isOther && this.deliveredOf(logId, stream) < storedLength;
  }

  private deliveredOf(logId: AttemptId, stream: LogStream): number {
    return this.delivered.get(`${logId}:${stream}`) ?? 0;
  }

  /** Goes on where an earlier connection stopped: attempts before that place were delivered. */
  private takeUp(job: FollowedJob): void {
    const { resume } = this;
    if (resume === null) return;
    const index = job.attempts.findIndex((attempt) => attempt.id === resume.attemptId);
    const attempt = job.attempts[index];
    if (attempt === undefined) return;
    for (const earlier of job.attempts.slice(0, index)) this.passed.add(earlier.id);
    for (const [stream, offset] of resume.offsets) this.delivered.set(`${attempt.logId}:${stream}`, offset);
    this.resume = null;
  }

  private async sendStatus(job: FollowedJob): Promise<void> {
    const { status, reason, reasonDetail, exit } = job;
    const event = { type: 'status', status, reason, reasonDetail, exitCode: exit?.code ?? null, signal: exit?.signal ?? null } as const;
    const text = JSON.stringify(event);
    if (text === this.lastStatus) return;
    this.lastStatus = text;
    await this.parts.send(event);
  }

  private async sendAttempt(attempt: FollowedAttempt): Promise<void> {
    if (this.announced.has(attempt.id)) return;
    this.announced.add(attempt.id);
    this.movedAtMs = this.parts.nowMs();
    await this.parts.send({ type: 'attempt', attemptId: attempt.id, number: attempt.number, workerName: attempt.workerName });
  }

  private async sendBytes(attempt: FollowedAttempt, stream: LogStream): Promise<void> {
    const from = this.deliveredOf(attempt.logId, stream);
    const to = attempt.streams.get(stream)?.storedLength ?? 0;
    for await (const piece of this.parts.chunks.read({ logId: attempt.logId, stream }, from, to)) await this.sendPiece(attempt, stream, piece);
  }

  private async sendPiece(attempt: FollowedAttempt, stream: LogStream, piece: LogPiece): Promise<void> {
    const { offset, length, bytes } = piece;
    this.delivered.set(`${attempt.logId}:${stream}`, offset + length);
    this.movedAtMs = this.parts.nowMs();
    const where = { attemptId: attempt.id, stream, offset };
    const id = this.placeOf(attempt, stream);
    if (bytes === null) await this.parts.send({ type: 'gap', ...where, length }, id);
    else await this.parts.send({ type: 'log', ...where, base64: bytes.toString('base64'), readAt: piece.readAt.toISOString() }, id);
  }

  /** The stream just sent stands first; the others follow, so that a reader who comes back is told nothing twice. */
  private placeOf(attempt: FollowedAttempt, stream: LogStream): string {
    const streams = [stream, ...AGENT_LOG_STREAMS.filter((other) => other !== stream)];
    const known = streams.flatMap((name): [LogStream, number][] => {
      const offset = this.delivered.get(`${attempt.logId}:${name}`);
      return offset === undefined ? [] : [[name, offset]];
    });
    return formatPlace({ attemptId: attempt.id, offsets: new Map(known) });
  }

  /** Nothing more of it will come, or has not come for so long that nobody waits any longer. */
  private isOver(job: FollowedJob, attempt: FollowedAttempt): boolean {
    if (!attempt.isEnded) return false;
    const isComplete = this.streamsOf(job).every((stream) => {
      const state = attempt.streams.get(stream)?.state;
      return state !== 'draining' && state !== 'live';
    });
    return isComplete || this.parts.nowMs() - this.movedAtMs >= GIVE_UP_AFTER_MS;
  }

  private streamsOf(job: FollowedJob): readonly LogStream[] {
    if (this.parts.stream !== undefined) return [this.parts.stream];
    return job.isSeparate ? ['stdout', 'stderr'] : ['output'];
  }

  /** The worst of the last attempt's streams; a job that never ran has a complete, empty log. */
  private logState(job: FollowedJob): LogStreamState['state'] {
    const last = job.attempts.at(-1);
    const states = this.streamsOf(job).map((stream) => last?.streams.get(stream)?.state ?? 'complete');
    return (['removed', 'missing', 'draining', 'live'] as const).find((state) => states.includes(state)) ?? 'complete';
  }
}
