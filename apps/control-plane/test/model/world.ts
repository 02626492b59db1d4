/** The real thing: a whole control plane on a real database, spoken to by REST and by agents on real sockets. */
import { randomBytes } from 'node:crypto';
import type { AttemptId, AttemptView, GpuInfo, JobId, JobView, Page, WorkerView } from '@muster/protocol';
import { createSystemClock, type Clock } from '@muster/runtime';
import { eventually, FakeAgent } from '@muster/testing';
import type { ControlPlane } from '../../src/control-plane.js';
import { sql } from '../../src/database/sql.js';
import { Dispatcher } from '../../src/dispatch/dispatcher.js';
import { ReplicaMarks } from '../../src/replicas/replica-marks.js';
import { AgentSessions } from '../../src/sockets/agent-sessions.js';
import { WatchSchedule } from '../../src/workers/watch.schedule.js';
import { startHarness, type Harness } from '../control-plane-harness.js';
import { Rest } from '../rest.js';
import { SECONDS, type Worker } from './state.js';

/** Rows are locked in the order that everybody keeps: the last words of agents that left may still be being stored. */
const CLEAN = [
  sql`select from worker order by id collate "C" for update`, sql`select from job order by id collate "C" for update`,
  sql`select from attempt order by id collate "C" for update`,
  sql`delete from log_chunk`, sql`delete from log_stream`, sql`delete from event`, sql`delete from idempotency_key`,
  sql`delete from attempt`, sql`delete from job`, sql`delete from worker`,
];
/** Everything that waits for a moment moves that much nearer to it. */
const PASS = sql`
  with jobs as (
    update job
    set created_at = created_at - $1 * interval '1 s', not_before = not_before - $1 * interval '1 s', queue_until = queue_until - $1 * interval '1 s'
  ), attempts as (
    update attempt set lease_until = lease_until - $1 * interval '1 s' where state <> 'ended'
  )
  update worker
  set last_beat_at = last_beat_at - $1 * interval '1 s',
      maintenance = case
        when maintenance ->> 'deadlineMs' is null then maintenance
        else jsonb_set(maintenance, '{deadlineMs}', to_jsonb((maintenance -> 'deadlineMs')::double precision - $1 * 1000))
      end
`;
const BACK_OFF_FOR = sql`update job set not_before = now() + $2 * interval '1 s' where id = $1`;
const IS_GONE = sql`select replica_id is null and link <> 'connected' as is_gone from worker where id = $1`;
const KEEP_ALIVE_MS = 1_000;
/** So long a refused key counts against its address. */
const REFUSALS_COUNT_FOR_MS = 60_000;

/** The replicas' clock, which the test sets forward. The moments that the model knows are PostgreSQL's: see `pass`. */
class MovedClock implements Clock {
  aheadMs = 0;
  private readonly system = createSystemClock();
  readonly nowMs = this.system.nowMs;
  readonly sleep = this.system.sleep;

  monotonicMs(): number {
    return this.system.monotonicMs() + this.aheadMs;
  }
}

interface Seat {
  isKeyRevoked: boolean;
  key: { readonly id: string; readonly secret: string };
  agent: FakeAgent | undefined;
  ghost: FakeAgent | undefined;
}

export class World {
  private readonly seats = new Map<number, Seat>();
  private readonly marking: NodeJS.Timeout;
  private replica: ControlPlane;

  private constructor(
    private readonly harness: Harness,
    private readonly keys: { readonly admin: string; readonly operator: string },
    private readonly clock: MovedClock,
  ) {
    this.replica = harness.controlPlane;
    this.marking = setInterval(() => void this.replica.app.get(ReplicaMarks).mark().catch(() => undefined), KEEP_ALIVE_MS);
  }

  static async open(): Promise<World> {
    const config = { workerTimeoutMs: SECONDS.workerTimeout * 1_000, offerTtlMs: SECONDS.offer * 1_000 };
    const clock = new MovedClock();
    const harness = await startHarness({ config, clock });
    const [admin, operator] = await Promise.all([harness.createKey('admin'), harness.createKey('operator')]);
    const world = new World(harness, { admin: admin.secret, operator: operator.secret }, clock);
    await world.holdStill();
    return world;
  }

  async close(): Promise<void> {
    clearInterval(this.marking);
    this.leaveAll();
    await this.harness.stop();
  }

  get rest(): Rest {
    return new Rest(this.replica.url, this.keys.operator);
  }

  private get admin(): Rest {
    return new Rest(this.replica.url, this.keys.admin);
  }

  /** Nothing left of the run before; every worker has a key of its own. */
  async reset(workers: readonly Worker[]): Promise<void> {
    this.leaveAll();
    const sessions = this.replica.app.get(AgentSessions);
    await eventually('nobody is connected', () => sessions.size === 0, { everyMs: 2 });
    await this.harness.database.transaction(async (connection) => {
      for (const statement of CLEAN) await connection.execute(statement);
    });
    for (const { index } of workers) {
      const kept = this.seats.get(index);
      const key = kept?.isKeyRevoked === false ? kept.key : await this.harness.createKey('worker', `owner-${index}`);
      this.seats.set(index, { key, isKeyRevoked: false, agent: undefined, ghost: undefined });
    }
  }

  /** Dispatch and sweeps happen when a command says so, and at no other moment. */
  private async holdStill(): Promise<void> {
    await this.replica.app.get(Dispatcher).stop();
    await this.replica.app.get(WatchSchedule).stop();
    await this.replica.app.get(ReplicaMarks).mark();
  }

  private leaveAll(): void {
    for (const { agent, ghost } of this.seats.values()) {
      agent?.leave();
      ghost?.leave();
    }
  }

  async restartReplica(): Promise<void> {
    await this.replica.stop();
    this.replica = await this.harness.startReplica();
    await this.holdStill();
  }

  async dispatch(): Promise<void> {
    await this.replica.app.get(Dispatcher).tick();
  }

  async pass(seconds: number): Promise<void> {
    await this.harness.database.execute(PASS, [seconds]);
    await this.replica.app.get(ReplicaMarks).mark();
    // Twice: what one sweep gives back may be due for another.
    for (let count = 0; count < 2; count += 1) await this.replica.app.get(WatchSchedule).watch();
  }

  /** Of all backoffs that the control plane may draw, this one. */
  async backOffFor(id: JobId, seconds: number): Promise<void> {
    await this.harness.database.execute(BACK_OFF_FOR, [id, seconds]);
  }

  agentOf(worker: Worker): FakeAgent {
    const agent = this.seats.get(worker.index)?.agent;
    if (!agent) throw new Error(`worker ${worker.index} has no agent`);
    return agent;
  }

  /** A connected agent that has not said hello: a new start of it, or the one that was there before. */
  async connect(worker: Worker, isNewStart: boolean): Promise<FakeAgent> {
    const seat = this.seatOf(worker);
    const agent = this.agentLike(worker, isNewStart ? undefined : seat.agent);
    await agent.connect();
    if (seat.agent?.isConnected && !isNewStart) seat.agent.leave();
    seat.agent = agent;
    return agent;
  }

  /** The agent of before is an older start from now on, and lives. */
  haunt(worker: Worker): void {
    const seat = this.seatOf(worker);
    seat.ghost?.leave();
    seat.ghost = seat.agent;
  }

  /** The older start of the agent, connected anew. */
  async connectGhost(worker: Worker): Promise<FakeAgent> {
    const seat = this.seatOf(worker);
    seat.ghost?.leave();
    const ghost = this.agentLike(worker, seat.ghost);
    await ghost.connect();
    seat.ghost = ghost;
    return ghost;
  }

  hasAgent(worker: Worker): boolean {
    return this.seatOf(worker).agent !== undefined;
  }

  /** The process of the agent is gone. Resolves when the control plane has noticed. */
  async kill(worker: Worker): Promise<void> {
    this.agentOf(worker).leave();
    await this.whenGone(worker);
  }

  /** Its machine is gone; the next one in that seat is new. */
  giveAwaySeat(worker: Worker): void {
    const seat = this.seatOf(worker);
    seat.agent?.leave();
    seat.ghost?.leave();
    Object.assign(seat, { agent: undefined, ghost: undefined });
  }

  async whenGone(worker: Worker): Promise<void> {
    await eventually(
      `the control plane noticed that worker ${worker.index} is gone`,
      async () => (await this.harness.database.query<{ is_gone: boolean }>(IS_GONE, [worker.id]))[0]?.is_gone,
      { everyMs: 2 },
    );
  }

  async revokeKey(worker: Worker): Promise<void> {
    const seat = this.seatOf(worker);
    seat.isKeyRevoked = true;
    const { status } = await this.admin.send('DELETE', `/api/v1/keys/${seat.key.id}`);
    expect(status).toBe(200);
  }

  /** All runs come from one address, which must not be taken for somebody who guesses keys. */
  forgetRefusals(): void {
    this.clock.aheadMs += REFUSALS_COUNT_FOR_MS;
  }

  /** Of the same owner, so the machine stays the worker it is. */
  async giveNewKey(worker: Worker): Promise<void> {
    Object.assign(this.seatOf(worker), { key: await this.harness.createKey('worker', `owner-${worker.index}`), isKeyRevoked: false });
  }

  async jobs(): Promise<readonly JobView[]> {
    const { body } = await this.rest.get<Page<JobView>>('/jobs?limit=200');
    return [...body.data].reverse();
  }

  async attempts(id: JobId): Promise<readonly AttemptView[]> {
    return (await this.rest.get<{ data: AttemptView[] }>(`/jobs/${id}/attempts`)).body.data;
  }

  async workers(): Promise<readonly WorkerView[]> {
    return (await this.rest.get<Page<WorkerView>>('/workers?limit=200')).body.data;
  }

  async log(id: JobId, attemptId: AttemptId): Promise<string> {
    return (await this.rest.send<string>('GET', `/api/v1/jobs/${id}/logs/download?attempt=${attemptId}`)).text;
  }

  private seatOf(worker: Worker): Seat {
    const seat = this.seats.get(worker.index);
    if (!seat) throw new Error(`there is no worker ${worker.index}`);
    return seat;
  }

  private agentLike(worker: Worker, known: FakeAgent | undefined): FakeAgent {
    const before = known ?? this.seatOf(worker).agent;
    const machineId = before?.machineId ?? `machine-${randomBytes(6).toString('hex')}`;
    const agent = new FakeAgent({ url: this.replica.url, key: this.seatOf(worker).key.secret, name: `worker-${worker.index}`, slots: worker.slotsSaid, machineId, inventory: { gpus: worker.gpus.map(toGpu) } });
    agent.workerId = before?.workerId;
    if (known) {
      agent.instanceId = known.instanceId;
      agent.session = known.session;
    }
    return agent;
  }
}

function toGpu(index: number): GpuInfo {
  return { index, uuid: null, model: 'H100', memoryMb: 80_000, driver: null };
}
