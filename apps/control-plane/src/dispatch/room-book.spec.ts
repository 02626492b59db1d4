import type { WorkerFacts } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import { RoomBook } from './room-book.js';

const [ANVIL, BELLOWS] = ['wkr_a', 'wkr_b'] as WorkerId[] as [WorkerId, WorkerId];
const everybody = (): boolean => true;

function aWorker(id: WorkerId): WorkerFacts {
  return {
    id, name: id, owner: 'ada', session: 1, instanceId: '0000000001-a', slots: 2, slotsUsable: 2, slotsOrdered: null, slotsSaid: 2, gpusHeld: [],
    isPaused: false, maintenance: null, link: 'connected', lastBeatMs: 0, isFenced: false, isRemoved: false,
  };
}

describe('what is remembered of the room of workers', () => {
  it('is what a look found, and those it passed over count as full', () => {
    const room = new RoomBook();
    room.looked([{ id: ANVIL, slots: 2, held: 0 }, { id: BELLOWS, slots: 1, held: 0 }]);
    expect(room.choose(everybody)).toHaveLength(2);
    room.looked([{ id: BELLOWS, slots: 1, held: 0 }]);
    expect(room.choose(everybody).map(({ id }) => id)).toEqual([BELLOWS]);
    expect(room.hasRoom).toBe(true);
  });

  it('offers those that were full when none had room, because one may have it by now', () => {
    const room = new RoomBook();
    room.looked([{ id: ANVIL, slots: 2, held: 1 }]);
    room.looked([]);
    expect(room.hasRoom).toBe(false);
    expect(room.choose(everybody)).toEqual([{ id: ANVIL, slots: 2, held: 1 }]);
  });

  it('is what a claim counted of those that are connected here, and of nobody else', () => {
    const room = new RoomBook();
    const workers = new Map([ANVIL, BELLOWS].map((id) => [id, aWorker(id)]));
    room.counted({ workers, attempts: new Map(), jobs: new Map() }, (id) => id === ANVIL);
    expect(room.choose(everybody)).toEqual([{ id: ANVIL, slots: 2, held: 0 }]);
  });

  it('forgets who is not connected here any more', () => {
    const room = new RoomBook();
    room.looked([{ id: ANVIL, slots: 2, held: 0 }]);
    expect(room.choose(() => false)).toEqual([]);
    expect(room.choose(everybody)).toEqual([]);
  });
});
