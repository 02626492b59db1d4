import type { AttemptId, DrainPolicy, ExecutionState, JobId } from '@muster/protocol';
import { explain } from './explain.js';
import type { AttemptFacts, Drain, JobFacts, WorkerFacts } from './facts.js';
import type { BeatCommand, DrainCommand, EndCommand } from './server/commands.js';
import type { Slice } from './slice.js';
import { ATTEMPT, JOB, NOW_MS, WORKER, aJob, aProfile, aRunningSlice, aSlice, aSpec, aWorker, anAttempt, step } from '../test/factories.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const about = { workerId: WORKER, actor: 'olga' } as const;

function drains(policy: DrainPolicy, deadlineSeconds: number | null, note?: string): DrainCommand {
  return { type: 'drain', ...about, policy, deadlineSeconds, ...(note === undefined ? {} : { note }) };
}
function aDrain(facts: Partial<Drain> = {}): Drain {
  return { kind: 'drain', reason: null, by: 'olga', startedMs: NOW_MS, policy: 'requeue', deadlineMs: NOW_MS + 60_000, isOverdue: false, jobsAtStart: 1, drainedMs: null, ...facts };
}
function aBeat(state: ExecutionState | null = 'running'): BeatCommand {
  return { type: 'beat', workerId: WORKER, session: 1, executions: state === null ? [] : [{ ...REF, state }], isPaused: false, slotsFree: 1, gpusHeld: [] };
}
function anEnd(outcome: EndCommand['outcome']): EndCommand {
  return {
    type: 'end', workerId: WORKER, session: 1, ...REF, outcome, exit: null, detail: null, usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null },
    containment: 'group', leftovers: 0, logs: {}, ranMs: 10,
  };
}
const draining = (facts: Partial<Drain> = {}, job: Partial<JobFacts> = {}): Slice => aRunningSlice({ worker: { maintenance: aDrain(facts) }, job });
const drainOf = (slice: Slice): Drain | undefined => {
  const maintenance = slice.workers.get(WORKER)?.maintenance;
  return maintenance?.kind === 'drain' ? maintenance : undefined;
};
const lost = (facts: { worker?: Partial<WorkerFacts>; job?: Partial<JobFacts>; attempt?: Partial<AttemptFacts> } = {}): Slice =>
  aSlice({
    workers: [aWorker(facts.worker)],
    jobs: [aJob({ epoch: 1, attemptCount: 1, losses: 1, lossesWhileRunning: 1, startedMs: NOW_MS, ...facts.job })],
    attempts: [anAttempt({ state: 'ended', outcome: 'lost', leaseUntilMs: null, endedMs: NOW_MS, startedMs: NOW_MS, ...facts.attempt })],
  });

describe('a drain', () => {
  test('takes back what was offered and not taken up, and spends nothing by that', () => {
    const slice = aSlice({ workers: [aWorker()], jobs: [aJob({ status: 'assigned', epoch: 1, attemptCount: 1, currentAttemptId: ATTEMPT })], attempts: [anAttempt()] });
    const { reply, job, attempt, after, decision } = step(slice, drains('wait', null, 'new disk'));
    expect(reply).toEqual({ kind: 'done' });
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'superseded' });
    expect(job).toMatchObject({ status: 'queued', epoch: 2, refusals: 0, losses: 0, failures: 0, notBeforeMs: null });
    expect(decision.notices).toContainEqual({ kind: 'withdraw', workerId: WORKER, ref: REF });
    expect(drainOf(after)).toMatchObject({ reason: 'new disk', by: 'olga', jobsAtStart: 0, drainedMs: NOW_MS });
  });

  test('that waits stops nothing, and says so once its deadline is over', () => {
    const { after } = step(aRunningSlice(), drains('wait', 60));
    const swept = step(after, { type: 'sweepDrain', workerId: WORKER }, { nowMs: NOW_MS + 60_000 });
    expect(swept.decision.events.map(({ type }) => type)).toEqual(['alert.drainOverdue']);
    expect(step(swept.after, { type: 'sweepDrain', workerId: WORKER }, { nowMs: NOW_MS + 61_000 }).decision.events).toEqual([]);
    expect(step(swept.after, aBeat()).reply).toMatchObject({ verdicts: [{ kind: 'keep', command: null }] });
  });

  test('leaves alone what runs before its deadline, and has it stopped from then on with every beat', () => {
    expect(step(draining(), { type: 'sweepDrain', workerId: WORKER }, { nowMs: NOW_MS + 59_999 }).decision).toMatchObject({ workers: [], notices: [] });
    const { after, decision } = step(draining(), { type: 'sweepDrain', workerId: WORKER }, { nowMs: NOW_MS + 60_000 });
    const command = { kind: 'stop', graceSeconds: 10, reason: 'cancelled', isPlanned: true };
    expect(decision.notices).toEqual([{ kind: 'command', workerId: WORKER, ref: REF, command }]);
    expect(decision.systemLines[0]?.text).toContain('is drained by olga');
    expect(step(after, aBeat()).reply).toMatchObject({ verdicts: [{ kind: 'keep', command }] });
    expect(step(after, aBeat('exited')).reply).toMatchObject({ verdicts: [{ command: null }] });
  });

  test.each(['stopped', 'cancelled'] as const)('puts the job that ends as %s by it back in line, free of charge', (outcome) => {
    const { job, attempt } = step(draining({ isOverdue: true }), anEnd(outcome));
    expect(attempt?.outcome).toBe('stopped');
    expect(job).toMatchObject({ status: 'queued', reason: 'workerStopped', failures: 0, losses: 0, refusals: 0, notBeforeMs: null });
  });

  test('that was taken back, or goes on with a wait, leaves the stop it ordered a planned one', () => {
    for (const order of [{ type: 'undrain', ...about }, drains('wait', null)] as const) {
      const ordered = step(aRunningSlice(), drains('requeue', 0)).after;
      expect(step(ordered, aBeat()).reply).toMatchObject({ verdicts: [{ command: { kind: 'stop', isPlanned: true } }] });
      const told = step(step(ordered, order).after, anEnd('cancelled'));
      expect(told.job).toMatchObject({ status: 'queued', reason: 'workerStopped', failures: 0 });
      expect(step(told.after, anEnd('cancelled')).reply).toEqual({ kind: 'repeated' });
    }
  });

  test.each([
    ['told it to leave', { isOverdue: true }, ['queued', 'stopped']],
    ['has not told it to leave', { isOverdue: false }, ['cancelled', 'cancelled']],
    ['never tells it to', { policy: 'wait', isOverdue: true }, ['cancelled', 'cancelled']],
  ] as const)('that %s decides what a worker means whose users can cancel by themselves', (_, drain, [status, outcome]) => {
    const { job, attempt } = step(draining(drain), { ...anEnd('cancelled'), isUsersWord: true });
    expect([job?.status, attempt?.outcome]).toEqual([status, outcome]);
    const wanted = step(draining(drain, { desired: 'cancel' }), { ...anEnd('cancelled'), isUsersWord: true });
    expect([wanted.job?.status, wanted.attempt?.outcome]).toEqual(['cancelled', 'cancelled']);
  });

  test('does not turn a cancellation into a planned stop', () => {
    const { job } = step(draining({ isOverdue: true }, { desired: 'cancel', reason: 'cancelling' }), anEnd('cancelled'));
    expect(job).toMatchObject({ status: 'cancelled', reason: 'cancelledByUser' });
    const { reply } = step(draining({ isOverdue: true }, { desired: 'cancel', force: true }), aBeat());
    expect(reply).toMatchObject({ verdicts: [{ command: { kind: 'forceStop' } }] });
  });

  test('fails what must never be tried twice', () => {
    const job = { spec: aSpec({ retry: { never: true } }) };
    expect(step(draining({ isOverdue: true }, job), anEnd('stopped')).job).toMatchObject({ status: 'failed', reason: 'workerStopped' });
  });

  test('stops at once what says that it keeps checkpoints, if the policy is that, and the others at the deadline', () => {
    const other = { id: 'job_2' as JobId, currentAttemptId: 'att_2' as AttemptId, status: 'running', epoch: 1, attemptCount: 1, startedMs: NOW_MS } as const;
    const running = aRunningSlice({ job: { spec: { ...aSpec(), pause: 'checkpoint' } } });
    const slice = aSlice({
      workers: [...running.workers.values()],
      jobs: [...running.jobs.values(), aJob(other)],
      attempts: [...running.attempts.values(), anAttempt({ id: 'att_2' as AttemptId, jobId: other.id, state: 'running', startedMs: NOW_MS, leaseUntilMs: NOW_MS + 360_000 })],
    });
    const ordered = step(slice, drains('checkpoint', 60));
    expect(ordered.decision.notices).toMatchObject([{ kind: 'command', ref: REF }]);
    const swept = step(ordered.after, { type: 'sweepDrain', workerId: WORKER }, { nowMs: NOW_MS + 60_000 });
    expect(swept.decision.notices).toMatchObject([{ kind: 'command', ref: { attemptId: 'att_2' } }]);
  });

  test('goes on as it began when it is ordered again, on the new terms', () => {
    const { after } = step(draining({ startedMs: NOW_MS - 5_000, jobsAtStart: 3 }), drains('requeue', 0, 'hurry'));
    expect(drainOf(after)).toMatchObject({ startedMs: NOW_MS - 5_000, jobsAtStart: 3, reason: 'hurry', isOverdue: true });
  });

  test('is over when nothing is held any more, and says it once', () => {
    const slice = aSlice({ workers: [aWorker({ maintenance: aDrain() })] });
    const { after, decision } = step(slice, { type: 'sweepDrain', workerId: WORKER }, { nowMs: NOW_MS + 7_000 });
    expect(decision.events).toMatchObject([{ type: 'worker.drained', data: { jobsAtStart: 1, seconds: 7 } }]);
    expect(step(after, { type: 'sweepDrain', workerId: WORKER }).decision.events).toEqual([]);
  });

  test.each([
    ['was found empty', aDrain({ policy: 'wait', drainedMs: NOW_MS })],
    ['passed its deadline', aDrain({ isOverdue: true })],
  ])('of a worker that %s turns away the process of a lost attempt, for good', (_how, maintenance) => {
    const { reply, job } = step(lost({ worker: { maintenance } }), aBeat());
    expect(reply).toMatchObject({ verdicts: [{ kind: 'stop', reason: 'superseded' }] });
    expect(job).toMatchObject({ status: 'queued', epoch: 2 });
  });

  test('that still waits, like a cordon, takes the process of a lost attempt on again', () => {
    for (const maintenance of [aDrain(), { kind: 'cordon', reason: null, by: 'olga', startedMs: NOW_MS } as const]) {
      expect(step(lost({ worker: { maintenance } }), aBeat()).reply).toMatchObject({ verdicts: [{ kind: 'reclaimed' }] });
    }
  });

  test('is taken back without a trace but its events', () => {
    const { after, decision } = step(draining({ isOverdue: true }), { type: 'undrain', ...about, note: 'done' });
    expect(after.workers.get(WORKER)?.maintenance).toBeNull();
    expect(decision.events).toMatchObject([{ type: 'worker.undrained', actor: 'olga', data: { reason: 'done', was: 'drain' } }]);
    expect(decision.notices).toEqual([{ kind: 'wakeDispatch' }]);
    expect(step(after, { type: 'undrain', ...about }).decision.events).toEqual([]);
    expect(step(after, aBeat()).reply).toMatchObject({ verdicts: [{ command: null }] });
  });

  test('is not made less by a cordon', () => {
    expect(step(draining(), { type: 'cordon', ...about }).reply).toMatchObject({ kind: 'illegalOrder', detail: 'The worker is drained by olga.' });
  });

  test('is why a job waits, in the explanation', () => {
    const worker = aWorker({ maintenance: aDrain({ reason: 'new disk' }) });
    const { reason, detail, workers } = explain(aJob(), [{ worker, profile: aProfile(), held: [] }], 0, NOW_MS);
    expect([reason, workers[0]?.kind, workers[0]?.detail]).toEqual(['slotsFull', 'closed', 'fits, but is drained by olga: new disk']);
    expect(detail).toBe('Workers that fit: 1 taking no jobs now. anvil fits, but is drained by olga: new disk.');
  });
});

describe('slots that people give', () => {
  test('stand above those of every hello until they are given back', () => {
    const hello = { type: 'hello', workerId: WORKER, session: 1, instanceId: '0000000001-a', slots: 2, executions: [], gpusHeld: [] } as const;
    const { after } = step(aSlice({ workers: [aWorker()] }), { type: 'setSlots', ...about, slots: 5 });
    const greeted = step(after, hello);
    expect(greeted.reply).toMatchObject({ slots: 5 });
    expect(greeted.after.workers.get(WORKER)).toMatchObject({ slots: 5, slotsSaid: 2, slotsUsable: 2 });
    const beaten = step(greeted.after, { ...aBeat(null), slotsFree: 5 });
    expect(beaten.after.workers.get(WORKER)?.slotsUsable).toBe(5);
    expect(step(beaten.after, { type: 'setSlots', ...about, slots: null }).after.workers.get(WORKER)).toMatchObject({ slots: 2, slotsOrdered: null, slotsUsable: 2 });
  });
});

describe('a removal', () => {
  const removes = (force: boolean) => ({ type: 'removeWorker', ...about, force }) as const;

  test('of a worker that holds something must be meant', () => {
    expect(step(aRunningSlice(), removes(false)).reply).toMatchObject({ kind: 'illegalOrder', detail: 'The worker holds 1 job.' });
    const { job, attempt, after, decision } = step(aRunningSlice(), removes(true));
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'superseded' });
    expect(job).toMatchObject({ status: 'queued', epoch: 2, losses: 0 });
    expect(after.workers.get(WORKER)).toMatchObject({ isRemoved: true, link: 'unreachable' });
    expect(decision.notices).toContainEqual({ kind: 'closeSession', workerId: WORKER, session: 1, reason: 'removed' });
    expect(step(after, aBeat()).reply).toEqual({ kind: 'senderRefused', reason: 'removed' });
  });

  test('leaves an exclusive job to the end of its lease', () => {
    const slice = aRunningSlice({ job: { spec: aSpec({ disconnect: { exclusive: true } }) } });
    const { job, attempt } = step(slice, removes(true));
    expect(attempt).toMatchObject({ state: 'running', leaseUntilMs: NOW_MS + 360_000 });
    expect(job).toMatchObject({ status: 'running', reason: 'workerUnreachable', currentAttemptId: ATTEMPT });
  });

  test('is final, and no order is about what was removed', () => {
    const slice = aSlice({ workers: [aWorker({ isRemoved: true })] });
    expect(step(slice, removes(false)).decision.events).toEqual([]);
    for (const command of [drains('wait', null), { type: 'cordon', ...about }, { type: 'undrain', ...about }, { type: 'setSlots', ...about, slots: 1 }] as const) {
      expect(step(slice, command).reply).toMatchObject({ kind: 'illegalOrder', detail: 'The worker was removed.' });
    }
    expect(step(aSlice(), removes(false)).reply).toEqual({ kind: 'notFound' });
  });

  test('of what is being cancelled there ends the wait for it', () => {
    const { after } = step(aRunningSlice({ job: { desired: 'cancel', reason: 'cancelling' } }), removes(true));
    expect(after.jobs.get(JOB)).toMatchObject({ status: 'cancelled' });
  });
});
