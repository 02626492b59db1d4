import { Inject, Injectable } from '@nestjs/common';
import { nextInstanceId } from '@muster/domain';
import type { HeartbeatDto, RegisterWorkerDto } from '@muster/dto';
import type { HeartbeatView, RegisteredWorkerView, WorkerId } from '@muster/protocol';
import { randomBytes } from 'node:crypto';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import type { Caller } from '../keys/caller.js';
import { WorkerDesk } from '../worker-life/worker-desk.js';
import { WORKER_INSTANCE, WORKER_UNBIND } from './http-workers.sql.js';
import { commandsOf } from './pending-commands.js';
import { notRegistered, tooManyRegistrations } from './refusals.js';
import { toHello } from './registration.js';
import { isSenderRefused, WorkerPlace } from './worker-place.js';

/** Registrations of one machine that come together: each is newer than the one before it, after a few tries. */
const GREETINGS_MAX = 40;
/** Whatever it says of its slots, no more than the worker has are filled: this says that none is held back. */
const NO_SLOT_HELD_BACK = 10_000;

/** A worker over REST: who it is, and that it lives. */
@Injectable()
export class HttpWorkers {
  constructor(
    private readonly desk: WorkerDesk,
    private readonly place: WorkerPlace,
    private readonly database: Database,
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

  private async instanceOf(workerId: WorkerId): Promise<string | null> {
    const [row] = await this.database.control.query<{ instance_id: string | null }>(WORKER_INSTANCE, [workerId]);
    return row?.instance_id ?? null;
  }
}
