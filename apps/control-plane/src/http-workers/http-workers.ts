import { Inject, Injectable } from '@nestjs/common';
import { nextInstanceId } from '@muster/domain';
import type { ClaimDto, HeartbeatDto, RegisterWorkerDto } from '@muster/dto';
import type { ClaimView, HeartbeatView, RegisteredWorkerView, WorkerId } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { randomBytes } from 'node:crypto';
import type { ControlPlaneConfig } from '../config.js';
import { CLOCK, CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import type { Caller } from '../keys/caller.js';
import { WorkerDesk } from '../worker-life/worker-desk.js';
import { ClaimDesk } from './claim-desk.js';
import { WORKER_INSTANCE, WORKER_UNBIND } from './http-workers.sql.js';
import { commandsOf } from './pending-commands.js';
import { notRegistered, tooManyRegistrations } from './refusals.js';
import { toHello } from './registration.js';
import { isSenderRefused, WorkerPlace } from './worker-place.js';

/** Registrations of one machine that come together: each is newer than the one before it, after a few tries. */
const GREETINGS_MAX = 40;
/** Whatever it says of its slots, no more than the worker has are filled: this says that none is held back. */
const NO_SLOT_HELD_BACK = 10_000;

/** A worker over REST: who it is, that it lives, and that it wants work. */
@Injectable()
export class HttpWorkers {
  constructor(
    private readonly desk: WorkerDesk,
    private readonly place: WorkerPlace,
    private readonly claims: ClaimDesk,
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** Makes the worker, or finds it, and makes whoever registers its newest program: those before are superseded. */
  async register({ keyId, owner }: Caller, given: RegisterWorkerDto, address: string | undefined): Promise<RegisteredWorkerView> {
    const hello = { ...toHello(given), instanceId: '' };
    const enrolled = await this.desk
      .enrol({ keyId, owner, ...(address === undefined ? {} : { address }) }, hello)
      .catch((error: unknown) => {
        throw tooManyRegistrations(error);
      });
    if (isSenderRefused(enrolled)) throw notRegistered(enrolled.reason);
    for (let greetings = 1; ; greetings++) {
      const instanceId = nextInstanceId(await this.instanceOf(enrolled.workerId), randomBytes(6).toString('hex'));
      const ack = await this.desk.greet(enrolled, { ...hello, instanceId });
      if (!isSenderRefused(ack)) {
        await this.database.control.execute(WORKER_UNBIND, [ack.workerId, ack.session]);
        const { workerId, name, session, slots = hello.slots, beatIntervalMs, workerTimeoutMs, verdicts } = ack;
        return { workerId, name, session, slots, beatIntervalMs, workerTimeoutMs, verdicts, commands: commandsOf(verdicts) };
      }
      // Another registration came in between; this one is newer, because it asks now.
      if (ack.reason !== 'superseded' || greetings === GREETINGS_MAX) throw notRegistered(ack.reason);
    }
  }

  /** Renews what it lists, and answers what to do. */
  async heartbeat(caller: Caller, workerId: string, given: HeartbeatDto): Promise<HeartbeatView> {
    const { executions = [], paused = false, slotsFree = NO_SLOT_HELD_BACK, gpusHeld = [], sample } = given;
    const { cpuPercent = null, memoryUsedMb = null, diskFreeMb = null } = sample ?? {};
    const look = { cpuPercent, memoryUsedMb, diskFreeMb };
    const { beatIntervalMs, slots, verdicts } = await this.place.say(
      () => this.place.senderOf(caller, workerId, given.session),
      given.session !== undefined,
      ({ sender }) => this.desk.beat(sender, { session: sender.session, executions, paused, slotsFree, gpusHeld, sample: sample === undefined ? null : look }),
    );
    return { beatIntervalMs, workerTimeoutMs: this.config.workerTimeoutMs, slots, verdicts, commands: commandsOf(verdicts) };
  }

  /**
   * Waits for a job as long as the body says, and not longer when a program that named no session is overtaken meanwhile and asks
   * on as the newest one. Undefined when there is none.
   *
   * @param gone aborts when nobody waits for the answer any more
   */
  async claim(caller: Caller, workerId: string, given: ClaimDto, gone: AbortSignal): Promise<ClaimView | undefined> {
    const { waitSeconds = 0, executions = [], session } = given;
    const { keyId, secretNumber } = caller;
    const request = { keyId, secretNumber, executions, untilMs: this.clock.monotonicMs() + waitSeconds * 1_000 };
    const claim = await this.place.say(
      () => this.place.senderOf(caller, workerId, session),
      session !== undefined,
      ({ sender }) => this.claims.claim({ ...sender, ...request }, gone),
    );
    return claim.kind === 'claimed' ? claim.claim : undefined;
  }

  private async instanceOf(workerId: WorkerId): Promise<string | null> {
    const [row] = await this.database.control.query<{ instance_id: string | null }>(WORKER_INSTANCE, [workerId]);
    return row?.instance_id ?? null;
  }
}
