import type { AttemptFacts } from '@muster/domain';
import { OUTCOMES, type Outcome } from '@muster/protocol';
import { newId } from '../new-id.js';
import { countEnds, type AttemptChange } from './worker-counters.js';

const workerId = newId('wkr');

function ended(outcome: Outcome, before: Partial<AttemptFacts> = {}): AttemptChange {
  const id = newId('att');
  const running: AttemptFacts = {
    id, jobId: newId('job'), workerId, number: 1, epoch: 1, state: 'running', outcome: null, exit: null, detail: null, gpus: [],
    leaseUntilMs: 90_000, offeredMs: 0, startedMs: 10_000, endedMs: null, containment: null, usage: null, leftovers: 0, logId: id, proofs: {}, grantedSession: null,
    ...before,
  };
  return { before: running, after: { ...running, state: 'ended', outcome, endedMs: 14_000, leaseUntilMs: null } };
}

describe('the counters of a worker', () => {
  it.each(OUTCOMES)('count an attempt that ended %s as what it says', (outcome) => {
    const failures: readonly Outcome[] = ['failed', 'timedOut', 'outOfMemory', 'spawnFailed', 'inputFailed', 'unkillable'];
    const expected = outcome === 'succeeded' ? [{ id: workerId, completed: 1, failed: 0, run_seconds: 4 }]
      : failures.includes(outcome) ? [{ id: workerId, completed: 0, failed: 1, run_seconds: 0 }] : [];
    expect(countEnds([ended(outcome)])).toEqual(expected);
  });

  it('have seconds of completed attempts only', () => {
    const counts = countEnds([ended('succeeded'), ended('failed'), ended('cancelled'), ended('stopped'), ended('succeeded')]);
    expect(counts).toEqual([{ id: workerId, completed: 2, failed: 1, run_seconds: 8 }]);
  });

  it('count an attempt that was taken for lost once its end is known', () => {
    expect(countEnds([ended('lost')])).toEqual([]);
    expect(countEnds([ended('succeeded', { state: 'ended', outcome: 'lost', endedMs: 12_000 })])).toMatchObject([{ completed: 1 }]);
  });
});
