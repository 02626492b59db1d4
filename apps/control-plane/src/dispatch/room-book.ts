import { isLive, slotsToFill, type Slice } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import type { RoomyWorker } from './claim-plan.js';

/**
 * Remembers what was last seen of the slots of workers. It only chooses whom to lock: what is granted is counted in the
 * locked rows.
 */
export class RoomBook {
  private readonly workers = new Map<WorkerId, RoomyWorker>();

  /** A look found these to have room: whoever was known and is not among them has none. */
  looked(room: readonly RoomyWorker[]): void {
    for (const worker of this.workers.values()) this.workers.set(worker.id, { ...worker, held: worker.slots });
    for (const worker of room) this.workers.set(worker.id, worker);
  }

  /** A claim counted what the workers it locked hold, with what it granted. Those that ask for jobs over REST are not here to be chosen. */
  counted({ workers, attempts }: Slice, isHere: (id: WorkerId) => boolean): void {
    const held = new Map<WorkerId, number>();
    for (const attempt of attempts.values()) if (isLive(attempt)) held.set(attempt.workerId, (held.get(attempt.workerId) ?? 0) + 1);
    for (const worker of workers.values()) {
      if (isHere(worker.id)) this.workers.set(worker.id, { id: worker.id, slots: slotsToFill(worker), held: held.get(worker.id) ?? 0 });
    }
  }

  /** Those of these workers that had room; if none had, all that are known, as with one slot free: one may be by now. */
  choose(isHere: (id: WorkerId) => boolean): readonly RoomyWorker[] {
    for (const id of this.workers.keys()) if (!isHere(id)) this.workers.delete(id);
    const known = [...this.workers.values()].filter(({ slots }) => slots > 0);
    const roomy = known.filter(({ slots, held }) => held < slots);
    return roomy.length > 0 ? roomy : known.map((worker) => ({ ...worker, held: worker.slots - 1 }));
  }

  get hasRoom(): boolean {
    return [...this.workers.values()].some(({ slots, held }) => held < slots);
  }
}
