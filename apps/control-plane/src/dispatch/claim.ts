import { applyDecision, decideClaim, matches, type ServerContext, type ServerDecision, type Slice, type WorkerProfile } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { toAttemptFacts, toJobFacts, toWorkerFacts, type AttemptRow, type JobRow } from '../engine/fact-rows.js';
import { NOW } from '../engine/facts.sql.js';
import { storeSlice } from '../engine/store-slice.js';
import { toWorkerProfile, type ProfiledWorkerRow } from '../engine/worker-profile.js';
import { newId } from '../new-id.js';
import { ACTIVE_BY_OWNER, CLAIM_HEADS, CLAIM_LIVE_ATTEMPTS, CLAIM_LIVE_JOBS, CLAIM_WORKERS } from './dispatch.sql.js';
import type { Lane } from './lane-book.js';

export interface ClaimRequest {
  readonly lanes: readonly Lane[];
  /** Workers connected to this replica that seem to have room. */
  readonly workerIds: readonly WorkerId[];
  readonly replicaId: string;
  readonly context: Omit<ServerContext, 'nowMs' | 'newAttemptIds' | 'jitter'>;
}

export interface Claimed {
  readonly decision: Pick<ServerDecision, 'notices' | 'attempts'>;
  readonly slice: Slice;
  /** Something was granted and there is room left: another turn may find more. */
  readonly mayGrantMore: boolean;
}

/** Jobs looked at in one transaction: more would hold locks for long, the next turn comes at once. */
const CANDIDATES_MAX = 1_000;

/**
 * Grants jobs to workers, in the transaction it is given. Worker rows are locked first, so that nobody else fills the
 * same slots; heads of the lanes that some worker with room can serve are locked next; the domain matches them.
 */
export async function claim(connection: Connection, request: ClaimRequest): Promise<Claimed | undefined> {
  const [rows, attempts, jobs] = await Promise.all([
    connection.query<ProfiledWorkerRow>(CLAIM_WORKERS, [request.workerIds, request.replicaId]),
    connection.query<AttemptRow>(CLAIM_LIVE_ATTEMPTS, [request.workerIds]),
    connection.query<JobRow>(CLAIM_LIVE_JOBS, [request.workerIds]),
  ]);
  const workers = new Map(rows.map((row) => [row.id, toWorkerFacts(row)]));
  const profiles = new Map(rows.map((row) => [row.id, toWorkerProfile(row)]));
  const liveAttempts = new Map(attempts.map((row) => [row.id, toAttemptFacts(row)]));
  const room = roomOf(workers, liveAttempts);
  const { candidates, mayHoldMore, nowMs } = await lockHeads(connection, request.lanes, profiles, room);
  if (candidates.length === 0) return undefined;
  const facts = [...jobs.map(toJobFacts), ...candidates];
  const loaded: Slice = { workers, attempts: liveAttempts, jobs: new Map(facts.map((job) => [job.id, job])) };
  const input = { candidates: candidates.map((job) => job.id), profiles, activeByOwner: await activeByOwner(connection, request.lanes) };
  const newAttemptIds = candidates.map(() => newId('att'));
  const decision = decideClaim(loaded, input, { ...request.context, nowMs, newAttemptIds, jitter: Math.random() });
  const decided = applyDecision(loaded, decision);
  await storeSlice(connection, { loaded, decided, decisions: [decision], nowMs });
  const roomLeft = [...room.values()].reduce((sum, free) => sum + Math.max(0, free), 0) - decision.attempts.length;
  return { decision, slice: decided, mayGrantMore: mayHoldMore && decision.attempts.length > 0 && roomLeft > 0 };
}

function roomOf(workers: ReadonlyMap<WorkerId, { readonly slots: number }>, attempts: Slice['attempts']): Map<WorkerId, number> {
  const room = new Map([...workers].map(([id, { slots }]) => [id, slots]));
  for (const { workerId } of attempts.values()) room.set(workerId, (room.get(workerId) ?? 0) - 1);
  return room;
}

interface Heads {
  readonly candidates: ReturnType<typeof toJobFacts>[];
  /** Some lane gave as many as it was asked for. One that gave fewer is empty, or another dispatcher has the rest. */
  readonly mayHoldMore: boolean;
  /** Read after the heads were taken: no attempt was offered before the one that gave its job back had ended. */
  readonly nowMs: number;
}

/** As many heads of each lane as the workers that fit it have room for; lanes nobody fits are not touched. */
async function lockHeads(
  connection: Connection,
  lanes: readonly Lane[],
  profiles: ReadonlyMap<WorkerId, WorkerProfile>,
  room: ReadonlyMap<WorkerId, number>,
): Promise<Heads> {
  const wanted = lanes.flatMap((lane) => {
    let count = 0;
    for (const [workerId, profile] of profiles) {
      const free = Math.max(0, room.get(workerId) ?? 0);
      if (free > 0 && matches(lane.requirements, profile).ok) count += free;
    }
    return count > 0 ? [{ id: lane.id, count }] : [];
  });
  if (wanted.length === 0) return { candidates: [], mayHoldMore: false, nowMs: 0 };
  const share = Math.max(1, Math.ceil(CANDIDATES_MAX / wanted.length));
  const asked = wanted.map(({ count }) => Math.min(count, share));
  const [rows, [clock]] = await Promise.all([
    connection.query<JobRow & { lane_id: number }>(CLAIM_HEADS, [wanted.map(({ id }) => id), asked]),
    connection.query<{ now_ms: number }>(NOW),
  ]);
  const given = new Map<number, number>();
  for (const { lane_id: id } of rows) given.set(id, (given.get(id) ?? 0) + 1);
  const mayHoldMore = wanted.some(({ id }, index) => given.get(id) === asked[index]);
  return { candidates: rows.map(toJobFacts), mayHoldMore, nowMs: clock?.now_ms ?? 0 };
}

async function activeByOwner(connection: Connection, lanes: readonly Lane[]): Promise<ReadonlyMap<string, number>> {
  if (new Set(lanes.map((lane) => lane.owner)).size < 2) return new Map();
  const rows = await connection.query<{ owner: string; active: number }>(ACTIVE_BY_OWNER);
  return new Map(rows.map((row) => [row.owner, row.active]));
}
