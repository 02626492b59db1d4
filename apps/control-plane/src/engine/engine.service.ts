import { Inject, Injectable } from '@nestjs/common';
import type { BeatCommand, ReplyOf, ServerCommand, ServerContext } from '@muster/domain';
import { GroupCommitLane } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { Database, type LaneName } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { newId } from '../new-id.js';
import { Fleet } from '../replicas/fleet.js';
import { Notices } from '../sockets/notices.js';
import { BeatLane } from './beats/beat-lane.js';
import type { BeatReply } from './beats/plain-beats.js';
import { decideBatch, type Reply } from './decide-batch.js';

/** More would make one transaction hold its locks for long; fewer would waste commits. */
const BATCH_MAX = 100;
/** While one batch follows another: starts and ends of short jobs share commits, which saved an eighth of the processor time. */
const GATHER_MS = 2;

/**
 * Carries out what the domain decides about jobs, attempts and workers. For a whole batch of commands, in one
 * transaction: load and lock their rows, decide one after the other, store what changed, commit. Replies and notices
 * follow the commit, so that nobody is told of something that could still vanish.
 */
@Injectable()
export class EngineService {
  private readonly transitions = this.createLane('transitions');
  /** Beats have their own lane and connection: a flood of transitions never makes a worker look silent. */
  private readonly renewals = this.createLane('renewals');
  private readonly beats: BeatLane;

  /** What must still hold of a command when it is decided, by the command. */
  private readonly conditions = new WeakMap<ServerCommand, () => void>();

  constructor(
    private readonly database: Database,
    private readonly notices: Notices,
    private readonly fleet: Fleet,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {
    const decide = async (command: BeatCommand): Promise<BeatReply> => (await this.renewals.submit(command)) as BeatReply;
    this.beats = new BeatLane({ database, workerTimeoutMs: config.workerTimeoutMs, decide });
  }

  /**
   * Resolves with the reducer's reply once its effect is committed. Safe to call again with the same command.
   *
   * @param condition asked when it is decided, with its rows locked; what it throws is what this rejects with
   * @throws DatabaseUnavailable, LaneFull or LaneClosed (`isUnavailable`) when it cannot be done now
   */
  async execute<Command extends ServerCommand>(command: Command, condition?: () => void): Promise<ReplyOf<Command>> {
    if (condition) this.conditions.set(command, condition);
    return (await this.submit(command)) as ReplyOf<Command>;
  }

  /** Resolves when every command taken so far is answered; later ones are refused. */
  async close(): Promise<void> {
    await this.beats.close();
    await Promise.all([this.transitions.close(), this.renewals.close()]);
  }

  private submit(command: ServerCommand): Promise<Reply> {
    if (command.type !== 'beat') return this.transitions.submit(command);
    return this.conditions.has(command) ? this.renewals.submit(command) : this.beats.take(command);
  }

  private createLane(name: LaneName): GroupCommitLane<ServerCommand, Reply> {
    return new GroupCommitLane({
      name,
      maxBatch: BATCH_MAX,
      gatherMs: GATHER_MS,
      isItemFault: (error) => !isUnavailable(error),
      run: (commands) => this.commit(name, commands),
    });
  }

  private async commit(lane: LaneName, commands: readonly ServerCommand[]): Promise<Reply[]> {
    const outcome = await this.database.lane(lane).transaction((connection) =>
      decideBatch(connection, commands, (command, nowMs) => this.contextOf(command, nowMs)),
    );
    // After the replies: an agent must hear its hello answered before it hears of an offer.
    setImmediate(() => this.notices.deliver(outcome.notices, outcome.slice));
    return outcome.replies;
  }

  private contextOf(command: ServerCommand, nowMs: number): ServerContext {
    this.conditions.get(command)?.();
    const mayReclaim = command.type === 'hello' || command.type === 'beat' ? command.executions.length : 0;
    return {
      nowMs,
      workerTimeoutMs: this.config.workerTimeoutMs,
      beatIntervalMs: this.fleet.beatIntervalMs(),
      offerTtlMs: this.config.offerTtlMs,
      newAttemptIds: Array.from({ length: mayReclaim }, () => newId('att')),
      jitter: Math.random(),
    };
  }
}
