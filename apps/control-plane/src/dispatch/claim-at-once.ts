import type { Requirements, WorkerProfile } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import type { Transaction } from '../database/connection-pool.js';
import { sql } from '../database/sql.js';
import { needsOnlyASlot, planClaim, type ClaimPlan, type RoomyWorker, type WaitingLane } from './claim-plan.js';
import { claim, type Claimed, type ClaimRequest } from './claim.js';

/** A job that is about to be stored. */
export interface ComingJob {
  readonly owner: string;
  readonly laneId: number;
  readonly requirements: Requirements;
}

/** More lanes are better looked at in a turn. */
const LANES_MAX = 20;
/** More are better left to turns of their own, which share what a claim costs among many. */
const JOBS_MAX = 8;
const WORKERS_MAX = 16;

/** Nobody's submission waits long for a worker that somebody else holds: it is then stored without a claim. */
const WAIT_BRIEFLY = sql`set local lock_timeout = '100ms'`;

/** Whom to lock for jobs that come while nobody stands in line; undefined where a turn of dispatch does better. */
export function planAtOnce(
  jobs: readonly ComingJob[],
  room: readonly RoomyWorker[],
  profiles: ReadonlyMap<WorkerId, WorkerProfile>,
): ClaimPlan | undefined {
  if (jobs.length === 0 || jobs.length > JOBS_MAX) return undefined;
  const lanes = new Map<number, WaitingLane>();
  for (const { owner, laneId: id, requirements } of jobs) {
    const waiting = (lanes.get(id)?.waiting ?? 0) + 1;
    lanes.set(id, { lane: { id, owner, requirements }, waiting });
  }
  const plan = planClaim([...lanes.values()], room, profiles);
  return plan.wanted.length > 0 && plan.workerIds.length <= WORKERS_MAX ? plan : undefined;
}

/**
 * Whom to give the slots that these workers free, one for each time a worker stands there, of those who stand in line.
 * Undefined where a job waits for more than a slot: what an end frees may then serve others than the next.
 */
export function planAfterEnds(
  workerIds: readonly WorkerId[],
  lanes: readonly WaitingLane[],
  profiles: ReadonlyMap<WorkerId, WorkerProfile>,
): ClaimPlan | undefined {
  if (lanes.length === 0 || lanes.length > LANES_MAX || !lanes.every(({ lane }) => needsOnlyASlot(lane))) return undefined;
  const freed = new Map<WorkerId, number>();
  for (const id of workerIds) freed.set(id, (freed.get(id) ?? 0) + 1);
  const plan = planClaim(lanes, [...freed].map(([id, slots]) => ({ id, slots, held: 0 })), profiles);
  return plan.wanted.length > 0 ? plan : undefined;
}

/** Claims in the transaction that stores the jobs, behind what it sent before. */
export function claimAtOnce(transaction: Transaction, request: ClaimRequest): Promise<Claimed> {
  transaction.send(WAIT_BRIEFLY);
  return claim(transaction, request);
}
