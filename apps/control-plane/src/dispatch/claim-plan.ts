import { matches, type WorkerProfile } from '@muster/domain';
import type { JobId, WorkerId } from '@muster/protocol';
import type { Lane } from './lane-book.js';

/** Jobs looked at in one transaction: more would hold locks for long, the next turn comes at once. */
export const CANDIDATES_MAX = 1_000;

export interface WaitingLane {
  readonly lane: Lane;
  /** Jobs in line, counted to one more than there are free slots. */
  readonly waiting: number;
}

/** A worker that seems to have a free slot. */
export interface RoomyWorker {
  readonly id: WorkerId;
  readonly slots: number;
  readonly held: number;
}

export interface ClaimPlan {
  readonly workerIds: readonly WorkerId[];
  /** How many heads of which lanes to take. Of a short one fewer than there are places for it. */
  readonly wanted: readonly { readonly lane: Lane; readonly count: number; readonly isShort: boolean }[];
}

/** The head of a lane, as it was taken. */
export interface TakenHead {
  readonly id: JobId;
  readonly laneId: number;
  readonly priority: number;
}

/**
 * Whom to lock and what to take: no more workers than jobs can be granted, the least loaded ones. Every placement fills one
 * slot of one worker, so of the workers that fit a lane, sorted by load, no claim of n jobs looks further than the nth. Jobs
 * that need more than a slot may find the first ones too full, so for them all that fit are locked.
 */
export function planClaim(lanes: readonly WaitingLane[], room: readonly RoomyWorker[], profiles: ReadonlyMap<WorkerId, WorkerProfile>): ClaimPlan {
  const byLoad = [...room].sort((left, right) => left.held / left.slots - right.held / right.slots || (left.id < right.id ? -1 : 1));
  const waitingInAll = lanes.reduce((sum, { waiting }) => sum + waiting, 0);
  const served = lanes.flatMap(({ lane, waiting }) => {
    const fitting = firstThatFit(lane, byLoad, profiles, needsOnlyASlot(lane) ? Math.min(CANDIDATES_MAX, waitingInAll) : Infinity);
    return fitting.length > 0 ? [{ lane, waiting, fitting }] : [];
  });
  const most = Math.min(CANDIDATES_MAX, served.reduce((sum, { waiting }) => sum + waiting, 0));
  const share = Math.max(1, Math.ceil(CANDIDATES_MAX / Math.max(1, served.length)));
  const chosen = new Set<WorkerId>();
  const wanted = served.map(({ lane, fitting }) => {
    const needed = needsOnlyASlot(lane) ? fitting.slice(0, most) : fitting;
    for (const { id } of needed) chosen.add(id);
    const places = needed.reduce((sum, { slots, held }) => sum + slots - held, 0);
    return { lane, count: Math.min(share, places), isShort: share < places };
  });
  return { workerIds: [...chosen], wanted };
}

/** Of these workers, in their order, as many as are wanted: where one job comes to a large fleet, few are looked at. */
function firstThatFit(
  { requirements }: Lane,
  workers: readonly RoomyWorker[],
  profiles: ReadonlyMap<WorkerId, WorkerProfile>,
  wanted: number,
): readonly RoomyWorker[] {
  const fitting: RoomyWorker[] = [];
  for (const worker of workers) {
    if (fitting.length >= wanted) break;
    const profile = profiles.get(worker.id);
    if (profile !== undefined && matches(requirements, profile).ok) fitting.push(worker);
  }
  return fitting;
}

/**
 * The lowest priority that this claim may grant. A short lane of which every head was granted may hold more as urgent as the
 * last of them: whatever is less urgent waits for the next turn. Heads that fit nobody hold up none.
 */
export function lowestToGrant({ wanted }: ClaimPlan, heads: readonly TakenHead[], granted: ReadonlySet<JobId>): number {
  const lasts = wanted.flatMap(({ lane, count, isShort }) => {
    if (!isShort) return [];
    const own = heads.filter(({ laneId }) => laneId === lane.id);
    return own.length === count && own.every(({ id }) => granted.has(id)) ? [Math.min(...own.map(({ priority }) => priority))] : [];
  });
  return Math.max(-Infinity, ...lasts);
}

/** True where a slot is all that a job waits for: one that is filled leaves nothing for another. */
export function needsOnlyASlot({ requirements: { needs } }: Lane): boolean {
  return (needs.cpus ?? 0) === 0 && (needs.memoryMb ?? 0) === 0 && (needs.gpus ?? 0) === 0 && needs.gpuModel === undefined;
}
