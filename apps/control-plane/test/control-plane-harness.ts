import 'reflect-metadata';
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requirementsOf, toJobSpec, type SubmittedJob } from '@muster/domain';
import { leaseMs, type AttemptId, type AttemptState, type JobId, type JobReason, type JobStatus, type Outcome, type Role } from '@muster/protocol';
import { createLogger, type Clock } from '@muster/runtime';
import { FakeAgent, freshDatabase, type FakeAgentOptions, type FreshDatabase } from '@muster/testing';
import { configWith, type ControlPlaneConfig } from '../src/config.js';
import { startControlPlane, type ControlPlane } from '../src/control-plane.js';
import { Database } from '../src/database/database.js';
import { migrate } from '../src/database/migrate.js';
import { sql } from '../src/database/sql.js';
import { Dispatcher } from '../src/dispatch/dispatcher.js';
import { LaneKeeper } from '../src/jobs/lane-keeper.js';
import { JOBS_ADD } from '../src/jobs/jobs.sql.js';
import { LogDebts } from '../src/retention/log-debts.js';
import { PartitionKeeper } from '../src/retention/partition-keeper.js';
import { insertKey } from '../src/keys/keys.service.js';
import { newId } from '../src/new-id.js';
import { Fleet } from '../src/replicas/fleet.js';

const MIGRATIONS = join(import.meta.dirname, '../src/database/migrations');

export interface JobRow {
  id: JobId;
  status: JobStatus;
  desired: string;
  reason: JobReason;
  reason_detail: string | null;
  epoch: number;
  attempt_count: number;
  current_attempt_id: AttemptId | null;
  result: unknown;
}
export interface AttemptRow {
  id: AttemptId;
  worker_id: string;
  number: number;
  epoch: number;
  state: AttemptState;
  outcome: Outcome | null;
  lease_until: Date | null;
}

const JOB = sql`select id, status, desired, reason, reason_detail, epoch, attempt_count, current_attempt_id, result from job where id = $1`;
const ATTEMPTS = sql`select id, worker_id, number, epoch, state, outcome, lease_until from attempt where job_id = $1 order by number`;

const observe = Reflect.get(Fleet.prototype, 'observe');
/**
 * A patient fleet counts as one of 100,000 agents, which beat as seldom as the worker timeout allows: a fake agent may say nothing for six
 * minutes before it is suspect and offered nothing, not for 20 s.
 */
Fleet.prototype.observe = function (seen) {
  const isPatient = this['config'].workerTimeoutMs === PATIENT.workerTimeoutMs;
  observe.call(this, isPatient ? { ...seen, connectedCount: 100_000 } : seen);
};

export const log = createLogger({ name: 'test', level: process.env.TEST_LOG === undefined ? 'silent' : 'debug' });

/**
 * Longer than any test takes, however slow the machine: fake agents beat and answer offers when a test has come that far.
 * A test that is about silence or a term that is over moves the moments in the database.
 */
export const PATIENT = { workerTimeoutMs: 600_000, offerTtlMs: 600_000 } satisfies Partial<ControlPlaneConfig>;
/** For how long a lease of such a job is given that says nothing of a lost worker. */
export const PATIENT_LEASE_MS = leaseMs(PATIENT.workerTimeoutMs, 300);

/** A migrated database of this file's own. */
export function testDatabase(): Promise<FreshDatabase> {
  // The text of the migrations, not their classes: a schema that changed must never be served from an older template.
  const texts = readdirSync(MIGRATIONS).sort().map((file) => readFileSync(join(MIGRATIONS, file), 'utf8'));
  return freshDatabase({ migrate: migrateAndPrepare, version: createHash('sha256').update(texts.join()).digest('hex') });
}

/** With the partitions that the first start would make, so that not every test waits for them. */
async function migrateAndPrepare(url: string): Promise<void> {
  await migrate(url);
  const database = new Database(url, log);
  const config = configWith({ databaseUrl: url });
  await new PartitionKeeper(database, new LogDebts(database, config), config, log).prepare();
  await database.end();
}

export interface Harness {
  readonly database: Database;
  readonly databaseUrl: string;
  /** The first replica. */
  readonly controlPlane: ControlPlane;
  /** A key of the owner `workers`. */
  readonly workerKey: string;
  createKey(role: Role, owner?: string): Promise<{ id: string; secret: string }>;
  /** One more replica on the same database. */
  startReplica(config?: Partial<ControlPlaneConfig>): Promise<ControlPlane>;
  /** Queues a job and wakes the first replica's dispatcher. */
  submit(job?: Partial<SubmittedJob>, owner?: string): Promise<JobId>;
  submitMany(count: number, job?: Partial<SubmittedJob>, owner?: string): Promise<JobId[]>;
  job(id: JobId): Promise<JobRow>;
  attempts(id: JobId): Promise<AttemptRow[]>;
  /** A fake agent, synced; it leaves when the harness stops. */
  agent(options?: Partial<FakeAgentOptions>): Promise<FakeAgent>;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  /** Over `PATIENT`. */
  readonly config?: Partial<ControlPlaneConfig>;
  readonly clock?: Clock;
  /** Instead of a fresh one on the shared server; not dropped at the end. */
  readonly databaseUrl?: string;
}

/** A whole control plane in this process: real database, real HTTP server, real sockets. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const fresh = options.databaseUrl === undefined ? await testDatabase() : { url: options.databaseUrl, drop: async () => undefined };
  if (options.databaseUrl !== undefined) await migrate(fresh.url);
  const database = new Database(fresh.url, log);
  const replicas: ControlPlane[] = [];
  const agents: FakeAgent[] = [];

  async function startReplica(config: Partial<ControlPlaneConfig> = {}): Promise<ControlPlane> {
    const settings = configWith({ databaseUrl: fresh.url, port: 0, ...PATIENT, ...options.config, ...config });
    const replica = await startControlPlane({ config: settings, log, ...(options.clock ? { clock: options.clock } : {}) });
    replicas.push(replica);
    return replica;
  }

  async function createKey(role: Role, owner: string = role): Promise<{ id: string; secret: string }> {
    return database.transaction((connection) => insertKey(connection, { name: role, role, owner }, 'test'));
  }

  async function submitMany(count: number, job: Partial<SubmittedJob> = {}, owner = 'ada'): Promise<JobId[]> {
    const result = toJobSpec({ run: { command: ['/bin/true'] }, ...job }, 60_000);
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    const { spec } = result;
    const ids = Array.from({ length: count }, () => newId('job'));
    await database.transaction(async (connection) => {
      const [laneId] = await new LaneKeeper().idsFor(connection, owner, [requirementsOf(spec)]);
      const rows = ids.map((id) => ({
        id, event_id: newId('evt'), owner, name: spec.name, spec, labels: spec.labels, lane_id: laneId, priority: spec.priority,
        queue_seconds: spec.limits.queueSeconds ?? null,
      }));
      await connection.execute(JOBS_ADD, [JSON.stringify(rows)]);
    });
    replicas[0]?.app.get(Dispatcher).wake();
    return ids;
  }

  // Before the first start, which would make and print an admin key.
  await createKey('admin');
  const { secret: workerKey } = await createKey('worker', 'workers');
  const controlPlane = await startReplica();
  return {
    database,
    databaseUrl: fresh.url,
    controlPlane,
    workerKey,
    createKey,
    startReplica,
    submitMany,
    submit: async (job, owner) => (await submitMany(1, job, owner))[0] as JobId,
    job: async (id) => (await database.query<JobRow>(JOB, [id]))[0] as JobRow,
    attempts: (id) => database.query<AttemptRow>(ATTEMPTS, [id]),
    agent: async (given = {}) => {
      const name = given.name ?? `agent-${randomUUID().slice(0, 8)}`;
      const agent = await FakeAgent.join({ url: controlPlane.url, key: workerKey, name, ...given });
      agents.push(agent);
      return agent;
    },
    stop: async () => {
      for (const agent of agents) agent.leave();
      await Promise.all(replicas.map((replica) => replica.stop()));
      await database.end();
      await fresh.drop();
    },
  };
}
