/** What happens to everybody: time passes, work is given out, keys end, the control plane is restarted. */
import fc from 'fast-check';
import { pick, type Deed } from './command.js';
import type { Model } from './model.js';
import { hasRoomFor } from './room.js';
import type { Worker } from './state.js';

const NOTHING = fc.constant({});

/** One turn of the dispatcher: each job in its order to a worker with room for it, or to none. */
const dispatch: Deed<object> = {
  args: NOTHING,
  weight: 30,
  can: (model) => model.due.length > 0,
  perform: async (model, world) => {
    const { due } = model;
    await world.dispatch();
    const shown = new Map((await world.jobs()).map((job) => [job.id, job]));
    for (const job of due) {
      const { status, workerId, currentAttemptId } = shown.get(job.id) ?? {};
      const fitting = model.workers.filter((worker) => hasRoomFor(model, worker, job));
      expect({ job: job.id, status }).toEqual({ job: job.id, status: fitting.length > 0 ? 'assigned' : 'queued' });
      if (fitting.length === 0) continue;
      const worker = fitting.find(({ id }) => id === workerId);
      if (!worker || !currentAttemptId) throw new Error(`${job.id} was given to ${workerId}, which has no room`);
      model.offer(job, worker, currentAttemptId);
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
