import { Inject, Injectable } from '@nestjs/common';
import { Loop, type Logger } from '@muster/runtime';
import { LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import { WaitingClaims } from '../http-workers/waiting-claims.js';
import { KeyVerifier } from '../keys/key-verifier.js';
import { tellFailures } from '../loop-failures.js';
import { ReplicaMarks } from '../replicas/replica-marks.js';
import { AgentGateway } from '../sockets/agent.gateway.js';
import { HeartbeatSweeper } from './heartbeat-sweeper.js';

const WATCH_MS = 1_000;

/**
 * What happens every second on every replica: mark alive; and, apart from it because it may take longer, close the sockets
 * and end the waits of keys that ended, keep workers where they beat, sweep. Nothing is swept without a fresh mark: the mark
 * gives back the time in which nobody could renew.
 */
@Injectable()
export class WatchSchedule {
  private readonly marking = this.createLoop('mark', () => this.marks.mark());
  private readonly watching = this.createLoop('watch', () => this.watchOnce());

  constructor(
    private readonly database: Database,
    private readonly marks: ReplicaMarks,
    private readonly sweeper: HeartbeatSweeper,
    private readonly gateway: AgentGateway,
    private readonly waiting: WaitingClaims,
    private readonly keys: KeyVerifier,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Resolves after the first mark and the first watch, whether they succeeded or not; then they repeat. */
  async start(): Promise<void> {
    await this.marking.tick();
    await this.watching.tick();
    this.marking.start();
    this.watching.start();
  }

  /** One whole watch that begins after this call. Never rejects. */
  watch(): Promise<void> {
    return this.watching.tick();
  }

  async stop(): Promise<void> {
    await Promise.all([this.marking.stop(), this.watching.stop()]);
    await this.marks.remove().catch(() => undefined);
  }

  private async watchOnce(): Promise<void> {
    await this.marks.observeFleet();
    await this.closeEndedKeys();
    await this.gateway.keepAttached();
    await this.sweeper.sweep();
  }

  private createLoop(name: string, run: () => Promise<void>): Loop {
    return new Loop({
      name,
      intervalMs: WATCH_MS,
      run,
      onError: tellFailures(this.log, `${name} failed`),
    });
  }

  private async closeEndedKeys(): Promise<void> {
    const { gateway, waiting } = this;
    const ended = await this.keys.ended([...gateway.credentials(), ...waiting.credentials()], this.database.control);
    gateway.closeEnded(ended);
    waiting.closeEnded(ended);
  }
}
