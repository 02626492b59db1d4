import type { WorkerProfile } from '@muster/domain';
import type { JobId, WorkerId } from '@muster/protocol';
import { lowestToGrant, planClaim, type RoomyWorker, type TakenHead, type WaitingLane } from './claim-plan.js';

const PROFILE: WorkerProfile = {
  name: 'anvil', capability: 'cpu', contentTypes: [], labels: {}, cpuCores: 4, memoryMb: 8_000, gpus: [], containment: [], runKinds: ['command'],
};

function aLane(waiting: number, needs: WaitingLane['lane']['requirements']['needs'] = {}, id = 1): WaitingLane {
  return { lane: { id, owner: 'ada', requirements: { needs, runKind: 'command' } }, waiting };
}

/** Free workers with two slots each, of which the first hold one already. */
function workers(count: number, busy: number): RoomyWorker[] {
  return Array.from({ length: count }, (_, index) => ({ id: `wkr_${String(index).padStart(3, '0')}` as WorkerId, slots: 2, held: index < busy ? 1 : 0 }));
}

const profilesOf = (room: readonly RoomyWorker[], profile = PROFILE): Map<WorkerId, WorkerProfile> => new Map(room.map(({ id }) => [id, profile]));

describe('the plan of a claim', () => {
  it('locks as many workers as there are jobs, the least loaded ones', () => {
    const room = workers(500, 100);
    const plan = planClaim([aLane(2)], room, profilesOf(room));
    expect(plan.workerIds).toEqual(['wkr_100', 'wkr_101']);
    expect(plan.wanted.map(({ count }) => count)).toEqual([4]);
  });

  it('locks enough for all lanes together, because one lane may fill what another one counted on', () => {
    const room = workers(10, 0);
    expect(planClaim([aLane(2), aLane(3, {}, 2)], room, profilesOf(room)).workerIds).toHaveLength(5);
  });

  it('locks all that fit for jobs that need more than a slot', () => {
    const room = workers(10, 0);
    for (const needs of [{ cpus: 1 }, { memoryMb: 100 }]) expect(planClaim([aLane(1, needs)], room, profilesOf(room)).workerIds).toHaveLength(10);
  });

  it('passes over lanes that nobody with room can serve, and workers nothing is known of', () => {
    const room = workers(2, 0);
    expect(planClaim([aLane(5, { capability: 'gpu' })], room, profilesOf(room))).toEqual({ workerIds: [], wanted: [] });
    expect(planClaim([aLane(5)], room, new Map())).toEqual({ workerIds: [], wanted: [] });
    expect(planClaim([], room, profilesOf(room))).toEqual({ workerIds: [], wanted: [] });
  });

  it('leaves room to a lane with more urgent jobs than its share of one claim, and to none that was taken whole', () => {
    const room = workers(100, 0);
    const lanes = Array.from({ length: 20 }, (_, id) => aLane(id === 0 ? 200 : 50, {}, id));
    const plan = planClaim(lanes, room, profilesOf(room));
    expect(plan.wanted[0]).toMatchObject({ count: 50, isShort: true });
    const heads: TakenHead[] = plan.wanted.flatMap(({ lane: { id: laneId }, count }) =>
      Array.from({ length: laneId === 0 ? count : 10 }, (_, index) => ({ id: `job_${laneId}_${index}` as JobId, laneId, priority: laneId === 0 ? 9 : 0 })),
    );
    const all = new Set(heads.map(({ id }) => id));
    expect(lowestToGrant(plan, heads, all)).toBe(9);
    // One that was not granted fitted nobody, and those behind it will not either.
    expect(lowestToGrant(plan, heads, new Set([...all].slice(1)))).toBe(-Infinity);
    // It gave fewer than it was asked for, so there are no more.
    expect(lowestToGrant(plan, heads.slice(1), all)).toBe(-Infinity);
  });

  it('grants by what the last head of a short lane is, not by the first', () => {
    const room = workers(100, 0);
    const plan = planClaim(Array.from({ length: 20 }, (_, id) => aLane(200, {}, id)), room, profilesOf(room));
    const heads = Array.from({ length: 50 }, (_, index) => ({ id: `job_${index}` as JobId, laneId: 3, priority: index === 0 ? 100 : -5 }));
    expect(lowestToGrant(plan, heads, new Set(heads.map(({ id }) => id)))).toBe(-5);
  });

  it('is never held up where every place is asked for', () => {
    const room = workers(2, 0);
    const plan = planClaim([aLane(9)], room, profilesOf(room));
    const heads = Array.from({ length: 4 }, (_, index) => ({ id: `job_${index}` as JobId, laneId: 1, priority: 9 }));
    expect(lowestToGrant(plan, heads, new Set(heads.map(({ id }) => id)))).toBe(-Infinity);
  });
});
