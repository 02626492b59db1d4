import { join } from 'node:path';
import type { AttemptRef } from '@muster/protocol';
import { createLogger, createSystemClock } from '@muster/runtime';
import { eventually } from '@muster/testing';
import { ExecutionBridge, type Happening } from '../../src/connection/execution-bridge.js';
import { NoFreeSlot, UnknownExecution } from '../../src/execution/execution-errors.js';
import type { ExecutionId, ExecutionManager, ExecutionOffer } from '../../src/execution/execution-types.js';
import type { LogEnd } from '../../src/shipping/log-shipper.js';
import { anOffer } from './agent-process.js';
import { CAPABILITIES } from './runtime-harness.js';

const nothing = (): Promise<void> => Promise.resolve();
const PROCESS = 'exe-1' as ExecutionId;

/** The process side and the shippers, as far as a bridge without processes needs them; both do what a test wants. */
function setup() {
  const told: Happening[] = [];
  const rebound: AttemptRef[] = [];
  const written: AttemptRef[] = [];
  const drained: { resolve: (end: LogEnd) => void } = { resolve: () => undefined };
  const disk = { accept: (): ExecutionId => PROCESS, isFull: false };
  /** What was asked of the processes, and what is left to be told when they stand still. */
  const asked: string[] = [];
  const pausing: { done: () => void }[] = [];
  const ask = (what: string) => async (): Promise<void> => void asked.push(what);
  const pause = (what: string) => (): Promise<void> => {
    asked.push(what);
    return new Promise((resolve) => pausing.push({ done: resolve }));
  };
  const unknown = (): never => {
    throw new UnknownExecution(PROCESS);
  };
  const executions: ExecutionManager = {
    capabilities: CAPABILITIES,
    recover: () => Promise.resolve([]),
    accept: async (_offer: ExecutionOffer) => disk.accept(),
    start: nothing,
    stop: ask('stop'),
    freeze: pause('freeze'),
    thaw: pause('thaw'),
    setDeadline: ask('setDeadline'),
    rebind: async (_id, ref) => {
      if (disk.isFull) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      written.push(ref);
    },
    discard: ask('discard'),
    view: unknown,
    list: () => [],
    find: () => null,
    // Nowhere: nothing can be written there, whoever runs the test.
    paths: () => ({ directory: join('/dev/null', 'nowhere'), logs: {}, metrics: '', progress: '' }),
    slots: () => ({ total: 1, free: 1, quarantined: 0 }),
    setSlots: () => undefined,
    on: (event, listener) => void (event === 'ended' && listeners.push(listener as (typeof listeners)[number])),
    off: () => undefined,
    close: nothing,
  };
  const listeners: Parameters<typeof executions.on<'ended'>>[1][] = [];
  const follow = (): void => undefined;
  const bridge = new ExecutionBridge({
    executions,
    logs: {
      follow,
      rebind: (_key, ref) => rebound.push(ref),
      finish: () => Promise.resolve({}),
      whenDrained: () => new Promise((resolve) => (drained.resolve = resolve)),
      forget: nothing,
    },
    metrics: { follow, rebind: (_key, ref) => rebound.push(ref), finish: nothing, forget: nothing },
    progress: { follow, rebind: (_key, ref) => rebound.push(ref), finish: nothing },
    clock: createSystemClock(),
    logger: createLogger({ name: 'agent', level: 'silent' }),
  });
  bridge.listen((happening) => told.push(happening));
  const { attemptId, epoch, jobId, number, spec, gpus, offerTtlMs } = anOffer('true');
  const intent = { executionId: attemptId, ref: { attemptId, epoch }, jobId, number, spec, gpus, offerTtlMs };
  const accept = (): Promise<void> => bridge.carryOut({ type: 'writeIntent', intent });
  const end = (): void => {
    const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
    const ended = {
      outcome: 'succeeded',
      exit: null,
      detail: null,
      usage,
      leftovers: 0,
      containment: 'group',
      ranMs: 1,
    } as const;
    const view = {
      executionId: PROCESS,
      ref: intent.ref,
      jobId,
      spec,
      gpus: [],
      phase: 'exited',
      stopping: null,
      end: ended,
    } as const;
    for (const listener of listeners) listener(view);
  };
  return { bridge, told, rebound, written, drained, disk, asked, pausing, executionId: attemptId, accept, end };
}

describe('the bridge to processes', () => {
  it.each([
    [new NoFreeSlot(1), 'noSlot'],
    [Object.assign(new Error('full'), { code: 'ENOSPC' }), 'diskFloor'],
  ])('an intent that failed with %s is given back as %s', async (error, reason) => {
    const { accept, disk, told } = setup();
    disk.accept = () => {
      throw error;
    };
    await accept();
    expect(told).toEqual([expect.objectContaining({ type: 'intentFailed', reason, detail: error.message })]);
  });

  it('a log that is through is told also when its end could not be marked as settled', async () => {
    const { bridge, accept, end, drained, told, executionId } = setup();
    await accept();
    end();
    await eventually('it ended', () => told.some(({ type }) => type === 'ended'));
    await bridge.carryOut({ type: 'settle', executionId });
    expect(told.some(({ type }) => type === 'logDone')).toBe(false);
    drained.resolve('drained');
    await eventually('it is through', () => told.some(({ type }) => type === 'logDone'));
  });

  it('a term that the disk does not take is shipped in all the same, and written once the disk takes it', async () => {
    const { bridge, accept, disk, rebound, written, executionId } = setup();
    await accept();
    const ref = { attemptId: anOffer('true').attemptId, epoch: 2 };
    disk.isFull = true;
    await bridge.carryOut({ type: 'rebind', executionId, ref });
    expect(rebound).toEqual([ref, ref, ref]);
    bridge.catchUp();
    await bridge.whenIdle();
    expect(written).toEqual([]);
    disk.isFull = false;
    bridge.catchUp();
    await bridge.whenIdle();
    expect(written).toEqual([ref]);
    bridge.catchUp();
    await bridge.whenIdle();
    expect(written).toEqual([ref]);
  });

  it('a term that failed does not come back over a later one', async () => {
    const { bridge, accept, disk, written, executionId } = setup();
    await accept();
    const first = { attemptId: anOffer('true').attemptId, epoch: 2 };
    const second = { attemptId: anOffer('true').attemptId, epoch: 3 };
    disk.isFull = true;
    await bridge.carryOut({ type: 'rebind', executionId, ref: first });
    disk.isFull = false;
    void bridge.carryOut({ type: 'rebind', executionId, ref: second });
    bridge.catchUp();
    await bridge.whenIdle();
    bridge.catchUp();
    await bridge.whenIdle();
    expect(written).toEqual([second]);
  });

  it('a stop and a new fence go through at once while a job takes its time to stand still', async () => {
    const { bridge, accept, asked, executionId } = setup();
    await accept();
    await bridge.carryOut({ type: 'freeze', executionId });
    await bridge.carryOut({ type: 'setDeadline', executionId, deadlineMs: 1 });
    await bridge.carryOut({ type: 'stop', executionId, cause: 'leaseOver', graceSeconds: 0, isForced: true });
    expect(asked).toEqual(['freeze', 'setDeadline', 'stop']);
  });

  it('a job is let go after it was frozen and frozen after it was let go, however often the same is ordered', async () => {
    const { bridge, accept, asked, pausing, executionId } = setup();
    await accept();
    for (const type of ['freeze', 'freeze', 'thaw', 'thaw', 'freeze'] as const)
      await bridge.carryOut({ type, executionId });
    expect(asked).toEqual(['freeze']);
    for (const [index, what] of ['freeze', 'thaw', 'freeze'].entries()) {
      await eventually(`${what} is asked for`, () => asked[index] === what);
      pausing[index]?.done();
    }
    await bridge.whenIdle();
    expect(asked).toEqual(['freeze', 'thaw', 'freeze']);
  });

  it('the files of a job go only when nothing writes of its pause any more', async () => {
    const { bridge, accept, asked, pausing, executionId } = setup();
    await accept();
    await bridge.carryOut({ type: 'freeze', executionId });
    const forgotten = bridge.carryOut({ type: 'forget', executionId });
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual(['freeze']);
    pausing[0]?.done();
    await forgotten;
    expect(asked).toEqual(['freeze', 'discard']);
  });
});
