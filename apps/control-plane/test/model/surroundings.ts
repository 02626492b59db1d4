/** What happens to everybody: time passes, work is given out, keys end, the control plane is restarted. */
import fc from 'fast-check';
import { pick, type Deed } from './command.js';
import type { Model } from './model.js';
import type { Worker } from './state.js';

const NOTHING = fc.constant({});

/** One turn of the dispatcher: as many jobs as there is room for, in their order, each to a worker with room. */
const dispatch: Deed<object> = {
  args: NOTHING,
  weight: 30,
  can: (model) => model.due.length > 0,
  perform: async (model, world) => {
    const room = new Map(model.workers.map((worker) => [worker.id, { worker, free: model.roomOf(worker) }]));
    const count = [...room.values()].reduce((sum, { free }) => sum + free, 0);
    const granted = model.due.slice(0, count);
    await world.dispatch();
    const shown = new Map((await world.jobs()).map((job) => [job.id, job]));
    for (const job of granted) {
      const { status, workerId, currentAttemptId } = shown.get(job.id) ?? {};
      expect({ job: job.id, status }).toEqual({ job: job.id, status: 'assigned' });
      const seat = room.get(workerId ?? null);
      if (!seat || !currentAttemptId || seat.free === 0) throw new Error(`${job.id} was given to ${workerId}, which has no room`);
      seat.free -= 1;
      model.offer(job, seat.worker, currentAttemptId);
    }
  },
};

const pass: Deed<{ readonly seconds: number }> = {
  args: fc.record({ seconds: fc.constantFrom(100, 200, 500, 1_000, 2_000) }),
  weight: 5,
  can: (model) => model.jobs.length > 0,
  perform: async (model, world, { seconds }) => {
    await world.pass(seconds);
    model.pass(seconds);
  },
};

const revokeKey: Deed<{ readonly worker: number }> = {
  args: fc.record({ worker: fc.nat(1) }),
  weight: 1,
  can: (model, { worker }) => seat(model, worker).id !== null && !seat(model, worker).isKeyRevoked,
  perform: async (model, world, args) => {
    const worker = seat(model, args.worker);
    await world.revokeKey(worker);
    worker.isKeyRevoked = true;
    if (worker.isSynced) {
      await world.whenGone(worker);
      model.socketClosed(worker);
    }
    await expect(world.connect(worker, false)).rejects.toMatchObject({ code: 'unauthenticated', detail: expect.stringContaining('was revoked') });
    world.forgetRefusals();
  },
};

const giveNewKey: Deed<{ readonly worker: number }> = {
  args: fc.record({ worker: fc.nat(1) }),
  weight: 3,
  can: (model, { worker }) => seat(model, worker).isKeyRevoked,
  perform: async (model, world, args) => {
    const worker = seat(model, args.worker);
    await world.giveNewKey(worker);
    worker.isKeyRevoked = false;
  },
};

/** The control plane ends and another begins on the same database. It is told of no socket that it did not have. */
const restartReplica: Deed<object> = {
  args: NOTHING,
  weight: 0.2,
  can: (model) => model.jobs.length > 0,
  perform: async (model, world) => {
    await world.restartReplica();
    for (const worker of model.workers) worker.isSynced = false;
  },
};

function seat(model: Model, number: number): Worker {
  return pick(model.workers, number) as Worker;
}

export const SURROUNDINGS = { dispatch, pass, revokeKey, giveNewKey, restartReplica };
