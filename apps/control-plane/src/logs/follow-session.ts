import type { AttemptId, LogStream } from '@muster/protocol';
import type { Announcements } from '../announcements.js';
import { FollowInbox } from './follow-inbox.js';
import type { LogFollower } from './log-follower.js';
import type { LogTails } from './log-tails.js';
import type { FollowedJob } from './log-targets.js';
import type { SseSink } from './sse-sink.js';

/** The truth, whatever was heard. */
const POLL_MS = 1_000;
/** No two looks at the database are closer than this, so that a chatty job does not cost one per line. The first is at once. */
const GATHER_MS = 25;
const KEEP_ALIVE_MS = 15_000;

export interface FollowSessionParts {
  readonly jobId: string;
  readonly follower: LogFollower;
  readonly sink: SseSink;
  readonly announcements: Announcements;
  readonly tails: LogTails;
  /** Reads how far everything has come. */
  readonly look: () => Promise<FollowedJob>;
  readonly signal: AbortSignal;
}

interface Growth { readonly logId: AttemptId; readonly stream: LogStream; readonly storedLength: number }

/**
 * Keeps one follower going: bytes that are stored here are passed on at once, everything else is looked up when something is
 * said to have changed, and every second.
 */
export class FollowSession {
  private readonly inbox = new FollowInbox();
  private readonly grown = new Map<string, Growth>();
  private readonly tailed = new Map<AttemptId, () => void>();
  private lookedMs = performance.now();

  constructor(private readonly parts: FollowSessionParts) {}

  /** Resolves when nothing will ever follow, or the signal says so. Rejects when the reader went away. */
  async run(first: FollowedJob): Promise<void> {
    const { signal } = this.parts;
    const stopListening = this.listen();
    const wake = (): void => this.inbox.ring();
    signal.addEventListener('abort', wake, { once: true });
    // What was stored between the first look and the listening.
    this.inbox.wantLook();
    try {
      let isOver = await this.turn(first);
      while (!isOver && !signal.aborted) isOver = await this.round();
    } finally {
      signal.removeEventListener('abort', wake);
      stopListening();
      for (const stop of this.tailed.values()) stop();
    }
  }

  /** Passes on what came, and looks if it is time to. True when nothing will ever follow. */
  private async round(): Promise<boolean> {
    const { inbox, parts } = this;
    const lookInMs = this.lookedMs + (inbox.wantsLook ? GATHER_MS : POLL_MS) - performance.now();
    if (!inbox.hasPieces && this.grown.size === 0 && lookInMs > 0) {
      await inbox.wait(lookInMs);
      return false;
    }
    await this.passOn();
    if (lookInMs > 0) return false;
    if (parts.sink.quietMs >= KEEP_ALIVE_MS) await parts.sink.keepAlive();
    inbox.beginLook();
    this.lookedMs = performance.now();
    return this.turn(await parts.look());
  }

  private async passOn(): Promise<void> {
    const { follower } = this.parts;
    for (const piece of this.inbox.takePieces()) if (!(await follower.take(piece))) this.inbox.wantLook();
    const grown = [...this.grown.values()];
    this.grown.clear();
    if (grown.some(({ logId, stream, storedLength }) => follower.isBehind(logId, stream, storedLength))) this.inbox.wantLook();
  }

  private async turn(job: FollowedJob): Promise<boolean> {
    const { follower, tails } = this.parts;
    // Before the bytes are read, so that none is stored between the reading and the listening.
    for (const { logId } of job.attempts) if (!this.tailed.has(logId)) this.tailed.set(logId, tails.follow(logId, (piece) => this.inbox.hand(piece)));
    return follower.turn(job);
  }

  private listen(): () => void {
    const { announcements, follower, jobId } = this.parts;
    const stops = [
      announcements.on('log:appended', (growth) => {
        if (!follower.followedLogs.has(growth.logId)) return;
        this.grown.set(`${growth.logId} ${growth.stream}`, growth);
        this.inbox.ring();
      }),
      announcements.on('job:changed', (body) => body.jobId === jobId && this.inbox.wantLook()),
      announcements.on('announcements:missed', () => this.inbox.wantLook()),
    ];
    return () => stops.forEach((stop) => stop());
  }
}
