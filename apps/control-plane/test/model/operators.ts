/** What operators order about workers. */
import fc from 'fast-check';
import { DRAIN_POLICIES, type DrainPolicy, type WorkerView } from '@muster/protocol';
import { pick, type Deed } from './command.js';
import { cordon as cordonModel, drain as drainModel, remove } from './drains.js';
import type { Model, Ordered } from './model.js';
import type { Worker } from './state.js';
import type { World } from './world.js';

const who = fc.nat(1);
export interface About {
  readonly worker: number;
}

const known = (model: Model): Worker[] => model.workers.filter(({ id }) => id !== null);
const isAnyKnown = (model: Model): boolean => known(model).length > 0;
const one = (model: Model, { worker }: About): Worker => pick(known(model), worker) as Worker;

async function send(world: World, method: string, path: string, expected: Ordered, body?: unknown): Promise<void> {
  const answer = await world.rest.send<WorkerView & { code?: string }>(method, `/api/v1${path}`, body === undefined ? {} : { body });
  expect([path, answer.status]).toEqual([path, expected === 'done' ? 200 : 409]);
  if (expected === 'illegal') expect(answer.body.code).toBe('illegalTransition');
}

const cordon: Deed<About> = {
  args: fc.record({ worker: who }),
  weight: 2,
  can: isAnyKnown,
  perform: async (model, world, args) => {
    const worker = one(model, args);
    await send(world, 'POST', `/workers/${worker.id}/cordon`, cordonModel(model, worker), {});
  },
};

/** 550 s lie beside every pass; 0 is over at once. */
const drain: Deed<About & { readonly policy: DrainPolicy; readonly deadlineSeconds: number | null }> = {
  args: fc.record({ worker: who, policy: fc.constantFrom(...DRAIN_POLICIES), deadlineSeconds: fc.constantFrom(null, 0, 0, 550) }),
  weight: 3,
  can: (model, { policy, deadlineSeconds }) => isAnyKnown(model) && (policy === 'wait' || deadlineSeconds !== null),
  perform: async (model, world, { policy, deadlineSeconds, ...args }) => {
    const worker = one(model, args);
    drainModel(model, worker, policy, deadlineSeconds);
    await send(world, 'POST', `/workers/${worker.id}/drain`, 'done', deadlineSeconds === null ? { policy } : { policy, deadlineSeconds });
  },
};

const undrain: Deed<About> = {
  args: fc.record({ worker: who }),
  weight: 8,
  can: (model) => known(model).some(({ order }) => order !== null),
  perform: async (model, world, args) => {
    const worker = pick(known(model).filter(({ order }) => order !== null), args.worker) as Worker;
    worker.order = null;
    await send(world, 'POST', `/workers/${worker.id}/undrain`, 'done', {});
  },
};

const setSlots: Deed<About & { readonly slots: number | null }> = {
  args: fc.record({ worker: who, slots: fc.constantFrom(null, 1, 2, 3) }),
  weight: 2,
  can: isAnyKnown,
  perform: async (model, world, { slots, ...args }) => {
    const worker = one(model, args);
    model.setSlots(worker, slots);
    await send(world, 'PATCH', `/workers/${worker.id}`, 'done', { slots });
  },
};

const removeWorker: Deed<About & { readonly isForced: boolean }> = {
  args: fc.record({ worker: who, isForced: fc.boolean() }),
  weight: 0.5,
  can: isAnyKnown,
  perform: async (model, world, { isForced, ...args }) => {
    const worker = one(model, args);
    const expected = remove(model, worker, isForced);
    await send(world, 'DELETE', `/workers/${worker.id}${isForced ? '?force=true' : ''}`, expected);
    if (expected === 'done') world.giveAwaySeat(worker);
  },
};

export const OPERATORS = { cordon, drain, undrain, setSlots, removeWorker };
