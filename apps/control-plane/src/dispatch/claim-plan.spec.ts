import type { WorkerProfile } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import { planClaim, type RoomyWorker, type WaitingLane } from './claim-plan.js';

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
});
