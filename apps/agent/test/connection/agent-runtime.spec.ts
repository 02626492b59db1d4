import { eventually } from '@muster/testing';
import { anEnd, aRecovered, RuntimeHarness } from './runtime-harness.js';

describe('what the runtime does for the reducer', () => {
  let harness: RuntimeHarness;
  beforeEach(() => {
    harness = new RuntimeHarness();
  });
  afterEach(() => harness.runtime.stop());

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
