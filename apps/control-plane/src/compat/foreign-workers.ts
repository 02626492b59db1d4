import { Injectable } from '@nestjs/common';
import type { AttemptId, AttemptState, Hello, Inventory, JobId, PendingCommand, WorkerAdapter, WorkerId, WorkerStatus } from '@muster/protocol';
import { PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { EngineService } from '../engine/engine.service.js';
import { commandsOf } from '../http-workers/pending-commands.js';
import type { Caller } from '../keys/caller.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { ForeignRefusal } from './foreign-refusal.js';
import { FOREIGN_FIND, FOREIGN_LOCK, FOREIGN_REPORT, FOREIGN_STORE } from './foreign.sql.js';

/** What an adapter makes of a registration. */
export interface ForeignRegistration {
  readonly adapter: WorkerAdapter;
  /** By which its system knows it; null: by ours. */
  readonly foreignId: string | null;
  /** Tells this machine from the others of the key. */
  readonly machineId: string;
  readonly name: string;
  readonly version: string;
  readonly slots: number;
  readonly inventory: Inventory;
  readonly features: readonly string[];
  /** As sent, without what is secret. */
  readonly registration: object;
  /** Null keeps what it told before. */
  readonly load: number | null;
  readonly metrics: object | null;
}

/** What a heartbeat tells; null keeps what was told before. */
export interface ForeignReport {
  readonly status: WorkerStatus;
  readonly load: number | null;
  readonly metrics: object | null;
}

/** How a worker is named in its own system. */
export interface ForeignName {
  readonly adapter: WorkerAdapter;
  readonly foreignId: string;
  /** Only a worker of this owner is meant; absent: whoever knows the id may speak for it. */
  readonly owner?: string;
}

interface FoundRow { id: WorkerId; owner: string; name: string }
interface ReportedRow {
  id: WorkerId;
  session: number;
  slots: number;
  held: readonly { readonly attemptId: AttemptId; readonly jobId: JobId; readonly epoch: number; readonly state: Exclude<AttemptState, 'ended'> }[];
}

/** A worker as it stands after its registration. */
export interface RegisteredWorker {
  readonly workerId: WorkerId;
  /** As it said, unless people set another number. */
  readonly slots: number;
}

/** A worker that was heard, and what is to be done with what it holds; repeated until it shows. */
export interface HeardWorker {
  readonly workerId: WorkerId;
  readonly commands: readonly (PendingCommand & { readonly jobId: JobId })[];
}

/** The programs do not list what they run. They live, so what they were given does; its end is told by the job's own calls. */
const STATES = { offered: 'accepted', running: 'running', paused: 'paused', finalizing: 'exited' } as const;

/** Its programs have no starts that we could tell apart: each registration is the same agent once more. */
const instanceOf = (adapter: WorkerAdapter): string => `adapter ${adapter}`;

const REGISTER_TRIES = 3;

/**
 * Life of workers that speak the language of another system: the same rows, leases and liveness as of our own, by the same
 * registry and the same engine. An adapter translates; it keeps nothing.
 */
@Injectable()
export class ForeignWorkers {
  constructor(
    private readonly database: Database,
    private readonly registry: WorkerRegistry,
    private readonly engine: EngineService,
    private readonly announcements: Announcements,
  ) {}

  /**
   * Makes the worker, or finds it and stores what it says now; either way it is online when this resolves.
   *
   * @param address where it comes from
   * @throws ForeignRefusal 401, 403 for an id that is another owner's, 429; nothing is stored then
   */
  async register(caller: Caller, given: ForeignRegistration, address: string | undefined): Promise<RegisteredWorker> {
    for (let tries = 1; ; tries++) {
      const worker = await this.tryRegister(caller, given, address);
      if (worker !== undefined) return worker;
      if (tries === REGISTER_TRIES) throw new ForeignRefusal(503, 'The worker was registered and removed by others at this moment; try again.', 1);
    }
  }

  /** Undefined when it was removed in between. */
  private async tryRegister(caller: Caller, given: ForeignRegistration, address: string | undefined): Promise<RegisteredWorker | undefined> {
    const key = { keyId: caller.keyId, owner: caller.owner, ...(address === undefined ? {} : { address }) };
    const hello = toHello(given);
    const enrolment = await this.registry.enrol(key, hello, {
      find: (connection) => findOwn(connection, caller, given),
      store: async (connection, workerId) => {
        await connection.execute(FOREIGN_STORE, [
          workerId, given.adapter, given.foreignId ?? workerId, JSON.stringify(given.registration), given.features, given.load,
          given.metrics === null ? null : JSON.stringify(given.metrics),
        ]);
      },
    });
    if ('refused' in enrolment) {
      if (enrolment.refused === 'tooMany') throw new ForeignRefusal(429, enrolment.detail, 1);
      if (enrolment.refused === 'keyRevoked') throw new ForeignRefusal(401, 'The key was revoked.');
      return undefined;
    }
    const { workerId } = enrolment;
    const { instanceId, session, slots, executions } = hello;
    const reply = await this.engine.execute({ type: 'hello', workerId, instanceId, session, slots, executions, gpusHeld: [] });
    return reply.kind === 'senderRefused' ? undefined : { workerId, slots: reply.slots };
  }

  /**
   * Proof of life, which renews the lease of everything the worker holds, and what it says of itself. Undefined when there is no such
   * worker of this owner, or its key was revoked; then nothing is stored.
   */
  async heartbeat({ adapter, foreignId, owner }: ForeignName, { status, load, metrics }: ForeignReport): Promise<HeardWorker | undefined> {
    const said = [status, load, metrics === null ? null : JSON.stringify(metrics)];
    const [row] = await this.database.query<ReportedRow>(FOREIGN_REPORT, [adapter, foreignId, owner ?? null, ...said]);
    if (!row) return undefined;
    const { id: workerId, session, slots, held } = row;
    const executions = held.map(({ attemptId, epoch, state }) => ({ attemptId, epoch, state: STATES[state] }));
    const slotsFree = Math.max(0, slots - held.length);
    const reply = await this.engine.execute({ type: 'beat', workerId, session, executions, isPaused: false, slotsFree, gpusHeld: [], isEcho: true });
    if (reply.kind === 'senderRefused') return undefined;
    const jobs = new Map(held.map(({ attemptId, jobId }) => [attemptId, jobId]));
    const commands = commandsOf(reply.verdicts).flatMap((command) => {
      const jobId = jobs.get(command.attemptId);
      return jobId === undefined ? [] : [{ ...command, jobId }];
    });
    return { workerId, commands };
  }

  /** False when there is no such worker. It stays readable in our own interface. */
  async remove(adapter: WorkerAdapter, foreignId: string): Promise<boolean> {
    const [worker] = await this.database.query<FoundRow>(FOREIGN_FIND, [adapter, foreignId]);
    if (worker === undefined) return false;
    await this.engine.execute({ type: 'removeWorker', workerId: worker.id, actor: `worker ${worker.name}`, force: true });
    this.announcements.announce('worker:changed', { workerId: worker.id });
    return true;
  }
}

/** @throws ForeignRefusal 403 for an id that is another owner's */
async function findOwn(connection: Connection, { owner }: Caller, { adapter, foreignId }: ForeignRegistration): Promise<WorkerId | undefined> {
  if (foreignId === null) return undefined;
  await connection.query(FOREIGN_LOCK, [adapter, foreignId]);
  const [known] = await connection.query<FoundRow>(FOREIGN_FIND, [adapter, foreignId]);
  if (known && known.owner !== owner) throw new ForeignRefusal(403, 'worker_id: this id belongs to the worker of another owner.');
  return known?.id;
}

function toHello(given: ForeignRegistration): Hello {
  return {
    protocolVersion: PROTOCOL_VERSION_TEXT,
    agentVersion: given.version,
    machineId: `${given.adapter} ${given.machineId}`,
    instanceId: instanceOf(given.adapter),
    session: 0,
    bootId: '',
    name: given.name,
    slots: given.slots,
    inventory: given.inventory,
    executions: [],
  };
}
