/** People who order workers about: cordon, drain, undrain, other slots, and now and then one is removed for good. */
import type { WorkerOrder } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import { NO_FAULTS } from '../settings/faults.js';
import { Random } from '../world/random.js';
import type { World } from '../world/world.js';
import { order } from './order.js';

/** Until the world heals. */
export function planOrders(world: World): void {
  const { ordersEveryMs, isWorkerRemoved } = world.faults;
  const random = new Random(world.settings.seed ^ 0x27d4eb2f);
  const workerOf = (): WorkerId => random.pick(world.machines).workerId;
  if (isWorkerRemoved) {
    world.after(random.between(0.1, 0.9) * world.settings.faultyMs, () => order(world, random, { type: 'removeWorker', workerId: workerOf(), force: random.chance(0.8), actor: 'bob' }));
  }
  if (ordersEveryMs === null) return;
  const meddle = (): void => {
    world.after(random.between(0.1, 1.9) * ordersEveryMs, () => {
      if (world.faults === NO_FAULTS) return;
      order(world, random, wishOf(random, workerOf()));
      meddle();
    });
  };
  meddle();
}

/** What people ordered is taken back, and who can run nowhere any more is cancelled. */
export function takeOrdersBack(world: World, random: Random): void {
  const { jobs, workers } = world.database.tables;
  for (const worker of workers.values()) {
    if (worker.isRemoved) continue;
    if (worker.maintenance !== null) order(world, random, { type: 'undrain', workerId: worker.id, actor: 'bob' });
    if (worker.slotsOrdered !== null) order(world, random, { type: 'setSlots', workerId: worker.id, slots: null, actor: 'bob' });
  }
  const areAllGone = [...workers.values()].every(({ isRemoved }) => isRemoved);
  for (const job of jobs.values()) {
    const home = job.spec.needs.labels?.['home'] as WorkerId | undefined;
    const isHomeless = areAllGone || (home !== undefined && workers.get(home)?.isRemoved === true);
    if (isHomeless && job.finishedMs === null && job.desired !== 'cancel') order(world, random, { type: 'cancel', jobId: job.id, force: false, actor: 'bob' });
  }
}

function wishOf(random: Random, workerId: WorkerId): WorkerOrder {
  const about = { workerId, actor: random.pick(['ada', 'bob']) };
  const kind = random.next();
  if (kind < 0.15) return { type: 'cordon', ...about };
  if (kind < 0.5) {
    const deadlineSeconds = random.chance(0.3) ? null : random.whole(0, 20);
    return { type: 'drain', policy: random.pick(['wait', 'requeue', 'requeue', 'checkpoint']), deadlineSeconds, ...about };
  }
  if (kind < 0.75) return { type: 'undrain', ...about };
  return { type: 'setSlots', slots: random.chance(0.3) ? null : random.whole(1, 4), ...about };
}
