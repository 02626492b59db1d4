/** Workers without a socket ask for each job, and speak of less than a whole beat does. */
import type { AttemptId, ExecutionReport, JobId, WorkerId } from '@muster/protocol';
import { ATTEMPT, NOW_MS, W_MS, WORKER, aContext, aJob, aProfile, aRunningSlice, aSlice, aWorker, anAttempt } from '../test/factories.js';
import { decideClaim } from './claim.js';
import { explain, type ExplainedWorker } from './explain.js';
import { serverStep } from './server-step.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const LEASE_MS = W_MS + 300_000;
const OTHER = 'wkr_other' as WorkerId;
const jobs = [1, 2, 3, 4, 5].map((n) => aJob({ id: `job_${n}` as JobId }));
const ids = jobs.map((job) => `att_of_${job.id}` as AttemptId);

describe('a worker that asks for jobs', () => {
  function placed(asked: ReadonlyMap<WorkerId, number>, held = 0): WorkerId[] {
    const workers = [aWorker({ slots: 3, slotsUsable: 3 }), aWorker({ id: OTHER, slots: 2, slotsUsable: 2 })];
    const attempts = Array.from({ length: held }, (_, n) => anAttempt({ id: `att_held${n}` as AttemptId, jobId: `job_held${n}` as JobId }));
    const slice = aSlice({ jobs, workers, attempts });
    const profiles = new Map(workers.map(({ id, name }) => [id, aProfile({ name })]));
    const input = { candidates: jobs.map(({ id }) => id), profiles, activeByOwner: new Map(), asked };
    return decideClaim(slice, input, aContext({ newAttemptIds: ids })).attempts.map(({ workerId }) => workerId).sort();
  }

  test('is granted as many as it asks for, and others what they have room for', () => {
    expect(placed(new Map([[WORKER, 1]]))).toEqual([OTHER, OTHER, WORKER].sort());
    expect(placed(new Map())).toHaveLength(5);
  });

  test('is granted no more than it has room for, however often it asks', () => {
    expect(placed(new Map([[WORKER, 9], [OTHER, 0]]), 1)).toEqual([WORKER, WORKER]);
  });
});

describe('a job that waits', () => {
  const waits = (workers: readonly Pick<ExplainedWorker, 'hasToAsk' | 'reportedStatus'>[]) =>
    explain(aJob(), workers.map((one) => ({ worker: aWorker(), profile: aProfile(), held: [], ...one })), 0, NOW_MS);

  test('for a worker that has to ask says so, and not where another is offered it', () => {
    expect(waits([{ hasToAsk: true }])).toMatchObject({ reason: 'waiting', detail: 'A worker is free, and is given the job when it asks for one.', workers: [{ kind: 'free', detail: 'is free, and is given a job when it asks for one' }] });
    expect(waits([{ hasToAsk: true }, {}]).detail).toBe('A worker is free and will be offered the job.');
  });

  test.each(['error', 'maintenance', 'offline'] as const)('is told when the worker that fits says itself that it is %s', (reportedStatus) => {
    expect(waits([{ hasToAsk: true, reportedStatus }])).toMatchObject({
      reason: 'slotsFull',
      detail: `Workers that fit: 1 taking no jobs now. anvil fits, but is given none while its own program says ${reportedStatus}.`,
    });
  });

  test.each(['online', 'busy', null] as const)('waits for a worker that says %s of itself until it asks', (reportedStatus) => {
    expect(waits([{ hasToAsk: true, reportedStatus }]).reason).toBe('waiting');
  });
});

describe('a beat that is only a part of one', () => {
  const said = (executions: readonly ExecutionReport[]) => ({ type: 'beat', workerId: WORKER, session: 1, executions, isPaused: true, slotsFree: 0, gpusHeld: [1], isPartial: true }) as const;

  test('renews what it lists and mends the link', () => {
    const slice = aRunningSlice({ worker: { link: 'suspect' } });
    const { reply, attempts, workers } = serverStep(slice, said([{ ...REF, state: 'running' }]), aContext({ nowMs: NOW_MS + 1_000 }));
    expect(reply).toMatchObject({ kind: 'beat', verdicts: [{ kind: 'keep', ref: REF, leaseMs: LEASE_MS }] });
    expect(attempts).toEqual([expect.objectContaining({ leaseUntilMs: NOW_MS + 1_000 + LEASE_MS })]);
    expect(workers).toEqual([expect.objectContaining({ link: 'connected', lastBeatMs: NOW_MS + 1_000 })]);
  });

  test('says nothing of slots, GPUs and offers', () => {
    const before = { slotsUsable: 2, gpusHeld: [0], isPaused: false };
    const { workers } = serverStep(aRunningSlice({ worker: before }), said([]), aContext());
    expect(workers).toEqual([expect.objectContaining(before)]);
  });

  test('of an older program is refused like any other', () => {
    const { reply, workers } = serverStep(aRunningSlice({ worker: { session: 2 } }), said([]), aContext());
    expect(reply).toEqual({ kind: 'senderRefused', reason: 'superseded' });
    expect(workers).toEqual([]);
  });
});
