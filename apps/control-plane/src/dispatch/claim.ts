import { applyDecision, decideClaim, type JobFacts, type ServerContext, type ServerDecision, type Slice } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import type { Connection, Transaction } from '../database/connection-pool.js';
import { toAttemptFacts, toJobFacts, toWorkerFacts, type AttemptRow, type JobRow } from '../engine/fact-rows.js';
import { storeSlice } from '../engine/store-slice.js';
import { toWorkerProfile, type ProfiledWorkerRow } from '../engine/worker-profile.js';
import { newId } from '../new-id.js';
import { lowestToGrant, type ClaimPlan } from './claim-plan.js';
import { ACTIVE_BY_OWNER, CLAIM_HEADS, CLAIM_LIVE_ATTEMPTS, CLAIM_LIVE_JOBS, CLAIM_WORKERS } from './dispatch.sql.js';

export interface ClaimRequest {
  readonly plan: ClaimPlan;
  readonly replicaId: string;
  /** How many jobs those workers take that ask for each, over REST. */
  readonly asked?: ReadonlyMap<WorkerId, number>;
  readonly context: Omit<ServerContext, 'nowMs' | 'newAttemptIds' | 'jitter'>;
}

export interface Claimed {
  readonly decision: Pick<ServerDecision, 'notices' | 'attempts'>;
  readonly slice: Slice;
  /** Some lane gave as many heads as it was asked for. One that gave fewer is empty, or another dispatcher has the rest. */
  readonly mayHoldMore: boolean;
}

/** A job's row with its lane, and the clock after it was taken. */
type HeadRow = JobRow & { lane_id: number; now_ms: number };

/**
 * Grants jobs to workers, in the transaction it is given. Worker rows are locked first, so that nobody else fills the
 * same slots; heads of lanes are locked next; the domain matches them. All of it is asked for in one breath.
 */
export async function claim(transaction: Transaction, { plan, replicaId, asked = new Map(), context }: ClaimRequest): Promise<Claimed> {
  const lanes = plan.wanted.map(({ lane }) => lane);
  const [rows, attempts, jobs, heads, activeByOwner] = await Promise.all([
    transaction.query<ProfiledWorkerRow>(CLAIM_WORKERS, [plan.workerIds, replicaId, [...asked.keys()]]),
    transaction.query<AttemptRow>(CLAIM_LIVE_ATTEMPTS, [plan.workerIds]),
    transaction.query<JobRow>(CLAIM_LIVE_JOBS, [plan.workerIds]),
    transaction.query<HeadRow>(CLAIM_HEADS, [lanes.map(({ id }) => id), plan.wanted.map(({ count }) => count)]),
    readActiveByOwner(transaction, new Set(lanes.map(({ owner }) => owner))),
  ]);
  const candidates = heads.map(toJobFacts);
  const loaded: Slice = {
    workers: new Map(rows.map((row) => [row.id, toWorkerFacts(row)])),
    attempts: new Map(attempts.map((row) => [row.id, toAttemptFacts(row)])),
    jobs: new Map([...jobs.map(toJobFacts), ...candidates].map((job) => [job.id, job])),
  };
  const profiles = new Map<WorkerId, ReturnType<typeof toWorkerProfile>>(rows.map((row) => [row.id, toWorkerProfile(row)]));
  const nowMs = Math.max(0, ...heads.map((head) => head.now_ms));
  const serverContext = { ...context, nowMs, newAttemptIds: candidates.map(() => newId('att')), jitter: Math.random() };
  const decideAmong = (jobs: readonly JobFacts[]): ServerDecision =>
    decideClaim(loaded, { candidates: jobs.map((job) => job.id), profiles, activeByOwner, asked }, serverContext);
  const first = decideAmong(candidates);
  const taken = heads.map(({ id, lane_id: laneId, priority }) => ({ id, laneId, priority }));
  const lowest = lowestToGrant(plan, taken, new Set(first.attempts.map(({ jobId }) => jobId)));
  const urgent = candidates.filter(({ priority }) => priority >= lowest);
  const decision = urgent.length < candidates.length ? decideAmong(urgent) : first;
  const decided = applyDecision(loaded, decision);
  storeSlice(transaction, { loaded, decided, decisions: [decision], nowMs });
  return { decision, slice: decided, mayHoldMore: someGaveAll(plan, heads) };
}

function someGaveAll({ wanted }: ClaimPlan, heads: readonly HeadRow[]): boolean {
  const given = new Map<number, number>();
  for (const { lane_id: id } of heads) given.set(id, (given.get(id) ?? 0) + 1);
  return wanted.some(({ lane, count }) => given.get(lane.id) === count);
}

async function readActiveByOwner(connection: Connection, owners: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
  if (owners.size < 2) return new Map();
  const rows = await connection.query<{ owner: string; active: number }>(ACTIVE_BY_OWNER);
  return new Map(rows.map((row) => [row.owner, row.active]));
}
