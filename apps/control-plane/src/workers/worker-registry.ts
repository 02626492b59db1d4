import { Inject, Injectable } from '@nestjs/common';
import type { NewEvent } from '@muster/domain';
import { LIMITS } from '@muster/protocol';
import type { Hello, Inventory, KeyId, WorkerId } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import { REPLICA_ID } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { isLostRace } from '../database/database-errors.js';
import { EngineService } from '../engine/engine.service.js';
import { storeEvents } from '../engine/store-slice.js';
import { RegistrationLimiter } from '../keys/registration-limiter.js';
import { newId } from '../new-id.js';
import { changesBetween } from './inventory-changes.js';
import { KEY_HOLD, WORKER_ATTACH, WORKER_DETACH, WORKER_FIND, WORKER_REFRESH, WORKER_REGISTER, WORKERS_ATTACH, WORKERS_OF_KEY } from './registry.sql.js';

/** Whose key the agent came with. */
export interface WorkerKey {
  readonly keyId: KeyId;
  readonly owner: string;
  /** Where it comes from. */
  readonly address?: string;
}
export type Enrolment =
  | { readonly workerId: WorkerId; readonly name: string }
  | { readonly refused: 'removed' | 'keyRevoked' }
  | { readonly refused: 'tooMany'; readonly detail: string };

interface WorkerFoundRow {
  id: WorkerId;
  name: string;
  is_removed: boolean;
  inventory: Inventory;
  slots: number;
  agent_version: string;
}

/** For workers that are known by more than their machine. */
export interface BesideEnrolment {
  /** Before all else: locks, and which worker it is if that is known. */
  find(connection: Connection): Promise<WorkerId | undefined>;
  /** What is kept of it beside what every worker has. */
  store(connection: Connection, workerId: WorkerId): Promise<void>;
}

/** Which row a machine is: registers it on first contact, knows it again afterwards, and keeps what it says it is. */
@Injectable()
export class WorkerRegistry {
  constructor(
    private readonly database: Database,
    private readonly engine: EngineService,
    private readonly announcements: Announcements,
    private readonly limiter: RegistrationLimiter,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  /**
   * Finds or makes the worker and stores its inventory. Says nothing about which agent is its newest: that is hello's.
   *
   * @param beside what belongs to it in the same transaction; when that throws, nothing is stored
   */
  async enrol(key: WorkerKey, hello: Hello, beside?: BesideEnrolment): Promise<Enrolment> {
    const enrolment = await this.tryEnrol(key, hello, beside).catch((error: unknown) => {
      // The machine came with this key on another connection too, which has committed: now it is found, or left alone.
      if (isLostRace(error)) return this.tryEnrol(key, hello, beside);
      throw error;
    });
    if ('workerId' in enrolment) this.announcements.announce('worker:changed', { workerId: enrolment.workerId });
    return enrolment;
  }

  private tryEnrol(key: WorkerKey, hello: Hello, beside: BesideEnrolment | undefined): Promise<Enrolment> {
    return this.database.control.transaction(async (connection) => {
      const knownId = await beside?.find(connection);
      const enrolled = await this.findOrMake(connection, key, knownId === undefined ? hello : { ...hello, workerId: knownId });
      if ('workerId' in enrolled) await beside?.store(connection, enrolled.workerId);
      return enrolled;
    });
  }

  private async findOrMake(connection: Connection, key: WorkerKey, hello: Hello): Promise<Enrolment> {
    const [held] = await connection.query<{ is_revoked: boolean }>(KEY_HOLD, [key.keyId]);
    if (held?.is_revoked !== false) return { refused: 'keyRevoked' };
    const known = await find(connection, key, hello);
    if (known?.is_removed) return { refused: 'removed' };
    if (known) return refresh(connection, key, hello, known);
    const tooMany = await this.whyTooMany(connection, key);
    if (tooMany !== undefined) return { refused: 'tooMany', detail: tooMany };
    const registered = await register(connection, key, hello);
    if (registered) return registered;
    // Registered on another connection between the two statements.
    const found = await find(connection, key, hello);
    if (found === undefined) throw new Error('A worker was neither registered nor found.');
    return refresh(connection, key, hello, found);
  }

  /** Only of machines that are not known yet: a fleet that comes back is never held up. */
  private async whyTooMany(connection: Connection, { keyId, address }: WorkerKey): Promise<string | undefined> {
    const waitSeconds = this.limiter.take(keyId, address);
    if (waitSeconds !== undefined) return `Too many new workers came with this key or from this address; try again in ${waitSeconds} s.`;
    const max = LIMITS.workersPerKeyMax;
    const [row] = await connection.query<{ count: number }>(WORKERS_OF_KEY, [keyId, max]);
    return row !== undefined && row.count >= max ? `This key has ${max} workers, and no more are taken. Make another key.` : undefined;
  }

  /** This replica holds the worker's socket now and may offer it work. */
  async attach(workerId: WorkerId, session: number): Promise<void> {
    await this.database.control.execute(WORKER_ATTACH, [workerId, session, this.replicaId]);
  }

  /**
   * The same for many, where something else is stored; resolves with how many those were. Only for workers known to be
   * here: it takes them from the replica they are said to be at.
   */
  async attachAll(sessions: readonly { readonly workerId: WorkerId; readonly session: number }[]): Promise<number> {
    const values = [sessions.map(({ workerId }) => workerId), sessions.map(({ session }) => session), this.replicaId];
    return this.database.control.execute(WORKERS_ATTACH, values);
  }

  /**
   * This replica does not hold the socket of this session any more. False when the worker has connected to another replica
   * already, or a newer start of its agent was greeted.
   */
  async detach(workerId: WorkerId, session: number): Promise<boolean> {
    return (await this.database.control.execute(WORKER_DETACH, [workerId, this.replicaId, session])) > 0;
  }

  /** The socket closed and no other came: the worker is suspect at once. */
  async markClosed(workerId: WorkerId): Promise<void> {
    await this.engine.execute({ type: 'workerLink', workerId, socket: 'closed' });
    this.announcements.announce('worker:changed', { workerId });
  }
}

async function find(connection: Connection, key: WorkerKey, hello: Hello): Promise<WorkerFoundRow | undefined> {
  const rows = await connection.query<WorkerFoundRow>(WORKER_FIND, [hello.workerId ?? null, key.owner, key.keyId, hello.machineId]);
  return rows[0];
}

async function register(connection: Connection, key: WorkerKey, hello: Hello): Promise<Enrolment | undefined> {
  const { inventory } = hello;
  const [row] = await connection.query<{ id: WorkerId }>(WORKER_REGISTER, [
    newId('wkr'), hello.machineId, key.keyId, key.owner, hello.name, hello.agentVersion, hello.bootId, inventory.capability,
    inventory.contentTypes, JSON.stringify(inventory.labels), JSON.stringify(inventory), hello.slots, key.address ?? null,
  ]);
  if (!row) return undefined;
  await note(connection, row.id, hello, 'worker.registered', { hostname: inventory.hostname, slots: hello.slots });
  return { workerId: row.id, name: hello.name };
}

async function refresh(connection: Connection, key: WorkerKey, hello: Hello, known: WorkerFoundRow): Promise<Enrolment> {
  const { inventory } = hello;
  const changes = changesBetween(
    { ...known.inventory, name: known.name, slots: known.slots, agentVersion: known.agent_version },
    { ...inventory, name: hello.name, slots: hello.slots, agentVersion: hello.agentVersion },
  );
  const [refreshed] = await connection.query<{ name: string }>(WORKER_REFRESH, [
    known.id, hello.name, hello.agentVersion, hello.bootId, inventory.capability, inventory.contentTypes,
    JSON.stringify(inventory.labels), JSON.stringify(inventory), key.keyId, key.address ?? null,
  ]);
  if (changes.changed.length > 0) await note(connection, known.id, hello, 'worker.changed', changes);
  return { workerId: known.id, name: refreshed?.name ?? hello.name };
}

async function note(
  connection: Connection,
  workerId: WorkerId,
  hello: Hello,
  type: NewEvent['type'],
  data: NewEvent['data'],
): Promise<void> {
  const event = { type, actor: `worker ${hello.name}`, jobId: null, attemptId: null, workerId, data };
  await storeEvents(connection, [event], Date.now());
}
