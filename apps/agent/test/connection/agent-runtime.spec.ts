import { eventually } from '@muster/testing';
import { anOffer } from './agent-process.js';
import { anEnd, aRecovered, RuntimeHarness } from './runtime-harness.js';

describe('what the runtime does for the reducer', () => {
  let harness: RuntimeHarness;
  beforeEach(() => {
    harness = new RuntimeHarness();
  });
  afterEach(() => harness.runtime.stop());

  it('beats go on while a disk does not answer to a new term or a new deadline', async () => {
    const spec = {
      ...aRecovered().spec,
      disconnect: { lostAfterSeconds: 1, onWorkerLost: 'requeue', exclusive: true } as const,
    };
    const execution = aRecovered({ spec });
    const attempt = { attemptId: anOffer('true').attemptId, epoch: 2 };
    harness.recovered = Promise.resolve([execution]);
    harness.onEffect = () => new Promise(() => undefined);
    harness.beatAck = {
      beatIntervalMs: 20,
      verdicts: [
        { kind: 'keep', ref: execution.ref, leaseMs: 60_000, command: null },
        { kind: 'reclaimed', ref: execution.ref, attempt, leaseMs: 60_000 },
      ],
    };
    await harness.runtime.start();
    harness.connect();
    await eventually('both were ordered', () =>
      ['setDeadline', 'rebind'].every((type) => harness.effects.some((effect) => effect.type === type)),
    );
    const before = harness.bodies('worker:beat').length;
    await eventually('more beats', () => harness.bodies('worker:beat').length >= before + 3);
    expect(harness.catchUps).toBe(harness.bodies('worker:beat').length);
  });

  it('an end waits until the term it is told in is on disk', async () => {
    const execution = aRecovered();
    const attempt = { attemptId: anOffer('true').attemptId, epoch: 2 };
    let write: () => void = () => undefined;
    harness.recovered = Promise.resolve([execution]);
    harness.onEffect = ({ type }) =>
      type === 'rebind' ? new Promise((resolve) => (write = resolve)) : Promise.resolve();
    harness.beatAck = {
      beatIntervalMs: 20,
      verdicts: [{ kind: 'reclaimed', ref: execution.ref, attempt, leaseMs: 60_000 }],
    };
    await harness.runtime.start();
    harness.connect();
    await eventually('it is rebound', () => harness.effects.some(({ type }) => type === 'rebind'));
    harness.tell({ type: 'ended', executionId: execution.executionId, end: anEnd(null), isQuarantined: false });
    const before = harness.bodies('worker:beat').length;
    await eventually('more beats', () => harness.bodies('worker:beat').length >= before + 3);
    expect(harness.bodies('attempt:end')).toEqual([]);
    write();
    await eventually('the end is told', () => harness.bodies('attempt:end').length > 0);
    expect(harness.bodies('attempt:end')[0]).toMatchObject(attempt);
  });

  it('an end that the control plane cannot read is told once more without detail and result', async () => {
    const execution = aRecovered({ state: 'exited', end: anEnd('odd', { odd: true }), isLogDone: true });
    harness.recovered = Promise.resolve([execution]);
    harness.onEnd = ({ result }) =>
      result === undefined
        ? { ok: { kind: 'accepted' } }
        : { error: { code: 'invalidMessage', detail: 'detail: expected sense' } };
    await harness.runtime.start();
    harness.connect();
    await eventually('it is settled', () => harness.effects.some(({ type }) => type === 'forget' || type === 'settle'));
    const ends = harness.bodies('attempt:end');
    expect(ends).toHaveLength(2);
    expect(ends[0]).toMatchObject({ ...execution.ref, detail: 'odd', result: { odd: true } });
    expect(ends[1]).toMatchObject({ ...execution.ref, outcome: 'spawnFailed' });
    expect(ends[1]).not.toHaveProperty('result');
    expect(ends[1]?.detail).toBe(
      'This end with the detail and the result was refused by the control plane: detail: expected sense',
    );
  });
});
