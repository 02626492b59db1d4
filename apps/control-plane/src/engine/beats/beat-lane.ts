import type { BeatCommand } from '@muster/domain';
import { GroupCommitLane } from '@muster/runtime';
import type { Database } from '../../database/database.js';
import { isUnavailable } from '../../database/database-errors.js';
import { mayBePlain, renewPlain, type BeatReply } from './plain-beats.js';

/** Of more the locks would be held for long. */
const BATCH_MAX = 500;
/** Between two statements. An agent waits for its answer as long as it needs; a beat that comes alone is not held back. */
const EVERY_MS = 50;

export interface BeatLaneParts {
  readonly database: Database;
  /** W, the first part of every lease. */
  readonly workerTimeoutMs: number;
  /** Decides one by the reducer, in the transactions of its lane. */
  readonly decide: (command: BeatCommand) => Promise<BeatReply>;
}

/**
 * Beats of all agents connected here, gathered: what only renews costs one statement for all that came in the same moment,
 * however large the fleet, and everything else is decided as any other command. Each is answered after its commit.
 */
export class BeatLane {
  private readonly plain: GroupCommitLane<BeatCommand, BeatReply | undefined>;

  constructor(private readonly parts: BeatLaneParts) {
    this.plain = new GroupCommitLane({
      name: 'beats',
      maxBatch: BATCH_MAX,
      everyMs: EVERY_MS,
      isItemFault: (error) => !isUnavailable(error),
      run: (commands) => renewPlain(parts.database.lane('renewals'), commands, parts.workerTimeoutMs),
    });
  }

  /** @throws DatabaseUnavailable, LaneFull or LaneClosed (`isUnavailable`) when it cannot be taken now */
  async take(command: BeatCommand): Promise<BeatReply> {
    const reply = mayBePlain(command) ? await this.plain.submit(command) : undefined;
    return reply ?? this.parts.decide(command);
  }

  /** Resolves when every beat taken so far was renewed or handed on. */
  close(): Promise<void> {
    return this.plain.close();
  }
}
