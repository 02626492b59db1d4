import { Inject, Injectable } from '@nestjs/common';
import type { BeatCommand, ReplyOf, ServerCommand, ServerContext } from '@muster/domain';
import { GroupCommitLane } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import type { Transaction } from '../database/connection-pool.js';
import { Database, type LaneName } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import type { Claimed } from '../dispatch/claim.js';
import { Dispatcher, type GrantAtOnce } from '../dispatch/dispatcher.js';
import { newId } from '../new-id.js';
import { Fleet } from '../replicas/fleet.js';
import { Notices } from '../sockets/notices.js';
import { BeatLane } from './beats/beat-lane.js';
import type { BeatReply } from './beats/plain-beats.js';
import { decideBatch, type DecidedBatch, type Reply } from './decide-batch.js';

/** More would make one transaction hold its locks for long; fewer would waste commits. */
const BATCH_MAX = 100;
/** While one batch follows another: starts and ends of short jobs share commits, which saved an eighth of the processor time. */
const GATHER_MS = 2;

interface Stored {
  readonly decided: DecidedBatch;
  readonly claimed: Claimed | undefined;
}

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
    private readonly dispatcher: Dispatcher,
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
    const grant = this.grantFor(commands);
    const { decided, claimed } = await this.store(lane, commands, grant);
    // After the replies: an agent must hear its hello answered before it hears of an offer.
    setImmediate(() => {
      const isRoomTaken = grant !== undefined && claimed !== undefined && grant.committed(claimed);
      this.notices.deliver(decided.notices, decided.slice, isRoomTaken);
    });
    return decided.replies;
  }

  /** A slot that an end frees is filled with the same commit, where it is known who is next. */
  private grantFor(commands: readonly ServerCommand[]): GrantAtOnce | undefined {
    const ends = commands.flatMap((command) => (command.type === 'end' ? [command.workerId] : []));
    const frees = (command: ServerCommand): boolean => command.type !== 'start';
    return ends.length > 0 && commands.filter(frees).length === ends.length ? this.dispatcher.afterEnds(ends) : undefined;
  }

  private async store(lane: LaneName, commands: readonly ServerCommand[], grant: GrantAtOnce | undefined): Promise<Stored> {
    const decide = (transaction: Transaction): Promise<DecidedBatch> =>
      decideBatch(transaction, commands, (command, nowMs) => this.contextOf(command, nowMs));
    const connection = this.database.lane(lane);
    if (grant === undefined) return { decided: await connection.transaction(decide), claimed: undefined };
    try {
      return await connection.transaction(async (transaction) => ({ decided: await decide(transaction), claimed: await grant.claim(transaction) }));
    } catch (error) {
      // Whatever keeps a slot from being filled keeps no end from being taken.
      if (isUnavailable(error)) throw error;
      return { decided: await connection.transaction(decide), claimed: undefined };
    }
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
