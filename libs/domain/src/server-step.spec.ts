import type { AttemptEnd, AttemptId, ExecutionReport, JobId } from '@muster/protocol';
import { ATTEMPT, JOB, NOW_MS, WORKER, aJob, aRunningSlice, aSlice, aSpec, aWorker, anAttempt, step } from '../test/factories.js';
import { newInstanceId } from './instance.js';
import { factsNeeded } from './slice.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const FROM = { workerId: WORKER, session: 1 } as const;
const LEASE_MS = 360_000;
const LATER = { nowMs: NOW_MS + LEASE_MS };

function anEnd(end: Partial<AttemptEnd> = {}): AttemptEnd & typeof FROM & { type: 'end' } {
  return {
    type: 'end', ...FROM, ...REF, outcome: 'succeeded', exit: { code: 0, signal: null }, detail: null, containment: 'group', leftovers: 0, logs: {},
    usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null }, ranMs: null, ...end,
  };
}

function aBeat(executions: ExecutionReport[], facts: { slotsFree?: number; isPaused?: boolean; session?: number } = {}) {
  return { type: 'beat', ...FROM, executions, isPaused: false, slotsFree: 1, gpusHeld: [], ...facts } as const;
}

function aHello(executions: ExecutionReport[], facts: { instanceId?: string; session?: number } = {}) {
  return { type: 'hello', workerId: WORKER, instanceId: newInstanceId(1, 'a'), session: 1, slots: 2, executions, gpusHeld: [], ...facts } as const;
}

/** The worker was silent until the lease ended, and the sweeper came by. */
function aLostSlice(facts: Parameters<typeof aRunningSlice>[0] = {}) {
  return step(aRunningSlice(facts), { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER).after;
}

describe('start', () => {
  const offered = aSlice({
    jobs: [aJob({ status: 'assigned', reason: 'offered', epoch: 1, attemptCount: 1, currentAttemptId: ATTEMPT })],
    attempts: [anAttempt()],
    workers: [aWorker()],
  });

  test('turns an offer into a lease of W and lostAfterSeconds', () => {
    const { reply, job, attempt } = step(offered, { type: 'start', ...FROM, ...REF });
    expect(reply).toEqual({ kind: 'go', leaseMs: LEASE_MS });
    expect(job).toMatchObject({ status: 'running', reason: 'running', startedMs: NOW_MS });
    expect(attempt).toMatchObject({ state: 'running', leaseUntilMs: NOW_MS + LEASE_MS });
  });

  test('asked for twice is granted twice, with a renewed lease', () => {
    const first = step(offered, { type: 'start', ...FROM, ...REF });
    const second = step(first.after, { type: 'start', ...FROM, ...REF }, { nowMs: NOW_MS + 5_000 });
    expect(second.reply).toEqual(first.reply);
    expect(second.attempt?.leaseUntilMs).toBe(NOW_MS + 5_000 + LEASE_MS);
  });

  test('is not granted once the offer is over', () => {
    expect(step(offered, { type: 'start', ...FROM, ...REF }, { nowMs: NOW_MS + 15_000 }).reply).toEqual({ kind: 'no', reason: 'expired' });
  });

  test('is not granted in another epoch, and changes nothing', () => {
    const { reply, decision } = step(offered, { type: 'start', ...FROM, ...REF, epoch: 2 });
    expect(reply).toEqual({ kind: 'no', reason: 'superseded' });
    expect([decision.jobs, decision.attempts]).toEqual([[], []]);
  });

  test('of a worker that was superseded is refused', () => {
    expect(step(offered, { type: 'start', ...FROM, session: 0, ...REF }).reply).toEqual({ kind: 'senderRefused', reason: 'superseded' });
  });

  test('gives a lease without end to a job that waits for its worker', () => {
    const spec = aSpec({ disconnect: { onWorkerLost: 'wait' } });
    const slice = aSlice({ jobs: [aJob({ ...offered.jobs.get(JOB), spec })], attempts: [anAttempt()], workers: [aWorker()] });
    const { reply, attempt } = step(slice, { type: 'start', ...FROM, ...REF });
    expect([reply, attempt?.leaseUntilMs]).toEqual([{ kind: 'go', leaseMs: null }, null]);
  });

  test('refused by the worker goes back to the queue free of charge, under a burned epoch', () => {
    const { job, attempt } = step(offered, { type: 'refuse', ...FROM, ...REF, reason: 'noSlot' });
    expect(job).toMatchObject({ status: 'queued', reason: 'waiting', epoch: 2, refusals: 1, failures: 0, losses: 0, currentAttemptId: null });
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'refused', leaseUntilMs: null });
  });

  test('a worker that says it has no slot is not asked again before its next beat', () => {
    const { after } = step(offered, { type: 'refuse', ...FROM, ...REF, reason: 'noSlot' });
    expect(after.workers.get(WORKER)?.slotsUsable).toBe(0);
    expect(step(after, aBeat([], { slotsFree: 2 })).after.workers.get(WORKER)?.slotsUsable).toBe(2);
  });

  test('an offer nobody answered goes back to the queue', () => {
    const { job } = step(offered, { type: 'sweepAttempt', attemptId: ATTEMPT }, { nowMs: NOW_MS + 15_000 });
    expect(job).toMatchObject({ status: 'queued', refusals: 1 });
  });
});

describe('end', () => {
  test('with exit 0 completes the job and stores its result', () => {
    const { reply, job, attempt, decision } = step(aRunningSlice(), anEnd({ result: { accuracy: 0.9 } }));
    expect(reply).toEqual({ kind: 'accepted' });
    expect(job).toMatchObject({ status: 'completed', reason: 'succeeded', finishedMs: NOW_MS, exit: { code: 0, signal: null }, currentAttemptId: null });
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'succeeded', endedMs: NOW_MS, leaseUntilMs: null });
    expect(decision.results).toEqual([{ jobId: JOB, value: { accuracy: 0.9 } }]);
  });

  test('sent again is acknowledged again and changes nothing', () => {
    const first = step(aRunningSlice(), anEnd());
    const second = step(first.after, anEnd());
    expect(second.reply).toEqual({ kind: 'repeated' });
    expect([second.decision.jobs, second.decision.attempts]).toEqual([[], []]);
  });

  test.each([{ epoch: 2 }, { attemptId: 'att_other' as AttemptId }])('of another term is superseded: %j', (other) => {
    expect(step(aRunningSlice(), anEnd(other)).reply).toEqual({ kind: 'superseded' });
  });

  test('that failed fails the job with its reason and exit', () => {
    const { job } = step(aRunningSlice(), anEnd({ outcome: 'failed', exit: { code: 3, signal: null } }));
    expect(job).toMatchObject({ status: 'failed', reason: 'nonZeroExit', exit: { code: 3, signal: null }, failures: 1 });
  });

  test('of a planned stop puts the job back without charge', () => {
    const { job } = step(aRunningSlice(), anEnd({ outcome: 'stopped', exit: null }));
    expect(job).toMatchObject({ status: 'queued', reason: 'workerStopped', notBeforeMs: null, failures: 0, losses: 0 });
  });

  test('told as lost by the agent itself burns the epoch', () => {
    expect(step(aRunningSlice(), anEnd({ outcome: 'lost', exit: null })).job).toMatchObject({ status: 'queued', epoch: 2, losses: 1 });
  });

  test('unkillable fails the job even when it was to be cancelled', () => {
    const slice = aRunningSlice({ job: { desired: 'cancel' } });
    expect(step(slice, anEnd({ outcome: 'unkillable', exit: null })).job).toMatchObject({ status: 'failed', reason: 'unkillable' });
  });

  test('of a lost attempt still counts while nobody else has the job', () => {
    const { reply, job, attempt } = step(aLostSlice(), anEnd(), LATER);
    expect(reply).toEqual({ kind: 'accepted' });
    expect(job).toMatchObject({ status: 'completed', losses: 0, lossesWhileRunning: 0 });
    expect(attempt).toMatchObject({ outcome: 'succeeded' });
  });

  test('of an attempt that was lost after its process ended takes back no loss of another that counts for poison', () => {
    const { job } = step(aLostSlice({ attempt: { state: 'finalizing' }, job: { losses: 2, lossesWhileRunning: 2 } }), anEnd(), LATER);
    expect(job).toMatchObject({ status: 'completed', losses: 2, lossesWhileRunning: 2 });
  });

  test('of a lost attempt is superseded once a person took the job back or another worker has it', () => {
    const lost = aLostSlice();
    const job = lost.jobs.get(JOB) ?? aJob();
    const taken = { ...lost, jobs: new Map([[JOB, { ...job, epoch: 2 }]]) };
    expect(step(taken, anEnd(), LATER).reply).toEqual({ kind: 'superseded' });
  });

  test('of an attempt that goes on as another ends that one, because it is the same process', () => {
    const back = step(aLostSlice(), aBeat([{ ...REF, state: 'running' }]), LATER);
    const { reply, job, after } = step(back.after, anEnd(), LATER);
    expect(reply).toEqual({ kind: 'accepted' });
    expect(job?.status).toBe('completed');
    expect(after.attempts.get('att_8' as AttemptId)).toMatchObject({ state: 'ended', outcome: 'succeeded' });
  });
});

describe('an end that says the attempt never began', () => {
  const offered = aSlice({
    jobs: [aJob({ status: 'assigned', reason: 'offered', epoch: 1, attemptCount: 1, currentAttemptId: ATTEMPT })], attempts: [anAttempt()], workers: [aWorker()],
  });

  test('is as good as declining the offer, free of charge, and once', () => {
    const { reply, job, attempt, after } = step(offered, anEnd({ outcome: 'refused', exit: null }));
    expect(reply).toEqual({ kind: 'accepted' });
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'refused', detail: 'worker anvil gave it back: it never began' });
    expect(job).toMatchObject({ status: 'queued', epoch: 2, failures: 0, losses: 0 });
    expect(step(after, anEnd({ outcome: 'refused', exit: null })).reply).toEqual({ kind: 'repeated' });
  });

  test('is the only one that is taken before the start was granted', () => {
    expect(step(offered, anEnd()).reply).toEqual({ kind: 'superseded' });
  });
});

describe('beat', () => {
  test('renews what it lists and mends the link', () => {
    const slice = aRunningSlice({ worker: { link: 'unreachable' }, job: { reason: 'workerUnreachable' } });
    const { reply, job, attempt, after } = step(slice, aBeat([{ ...REF, state: 'running' }]), { nowMs: NOW_MS + 1_000 });
    expect(reply).toEqual({ kind: 'beat', slots: 2, verdicts: [{ kind: 'keep', ref: REF, leaseMs: LEASE_MS, command: null }] });
    expect(attempt?.leaseUntilMs).toBe(NOW_MS + 1_000 + LEASE_MS);
    expect(job?.reason).toBe('running');
    expect(after.workers.get(WORKER)).toMatchObject({ link: 'connected', lastBeatMs: NOW_MS + 1_000 });
  });

  test('says that a job is still being started while its agent lists it as accepted', () => {
    const early = step(aRunningSlice(), aBeat([{ ...REF, state: 'accepted' }]));
    expect(early.job?.reason).toBe('starting');
    expect(step(early.after, aBeat([{ ...REF, state: 'running' }])).job?.reason).toBe('running');
  });

  test('leaves the job row alone when there is nothing new to say', () => {
    expect(step(aRunningSlice(), aBeat([{ ...REF, state: 'running' }])).decision.jobs).toEqual([]);
  });

  test('does not prolong an offer', () => {
    const slice = aRunningSlice({ job: { status: 'assigned' }, attempt: { state: 'offered', leaseUntilMs: NOW_MS + 5_000 } });
    const { attempt, reply } = step(slice, aBeat([{ ...REF, state: 'accepted' }]));
    expect(attempt?.leaseUntilMs).toBe(NOW_MS + 5_000);
    expect(reply).toMatchObject({ verdicts: [{ kind: 'keep', leaseMs: 5_000 }] });
  });

  test('shows that a process is gone, and a late beat does not bring it back', () => {
    const gone = step(aRunningSlice(), aBeat([{ ...REF, state: 'exited' }]));
    expect(gone.attempt?.state).toBe('finalizing');
    expect(step(gone.after, aBeat([{ ...REF, state: 'running' }])).attempt?.state).toBe('finalizing');
  });

  test('stops what the server does not know', () => {
    const { reply } = step(aRunningSlice(), aBeat([{ attemptId: 'att_x' as AttemptId, epoch: 1, state: 'running' }]));
    expect(reply).toMatchObject({ verdicts: [{ kind: 'stop', reason: 'unknown' }] });
  });

  test('repeats the wish to cancel until the process is gone', () => {
    const slice = aRunningSlice({ job: { desired: 'cancel', force: true } });
    expect(step(slice, aBeat([{ ...REF, state: 'running' }])).reply).toMatchObject({ verdicts: [{ command: { kind: 'forceStop', reason: 'cancelled' } }] });
    expect(step(slice, aBeat([{ ...REF, state: 'exited' }])).reply).toMatchObject({ verdicts: [{ command: null }] });
  });

  test('too late for its lease gets the job again under a new attempt and epoch, without a charge', () => {
    const { reply, job, attempt, after } = step(aRunningSlice(), aBeat([{ ...REF, state: 'running' }]), LATER);
    expect(reply).toMatchObject({ verdicts: [{ kind: 'reclaimed', ref: REF, attempt: { attemptId: 'att_8', epoch: 2 }, leaseMs: LEASE_MS }] });
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'lost' });
    expect(job).toMatchObject({ status: 'running', epoch: 2, attemptCount: 2, losses: 0, currentAttemptId: 'att_8' });
    expect(after.attempts.get('att_8' as AttemptId)).toMatchObject({ state: 'running', number: 2, logId: ATTEMPT });
  });

  test('told of a reclaim whose answer was lost is told again, and makes no third attempt', () => {
    const first = step(aLostSlice(), aBeat([{ ...REF, state: 'running' }]), LATER);
    const second = step(first.after, aBeat([{ ...REF, state: 'running' }]), LATER);
    expect(second.reply).toEqual(first.reply);
    expect(second.job?.attemptCount).toBe(2);
  });

  test('asks a process that outlived its lease to go on when its worker has no free slot', () => {
    const lost = aLostSlice({ worker: { slots: 1 } });
    const other = anAttempt({ id: 'att_2' as AttemptId, jobId: 'job_2' as typeof JOB, leaseUntilMs: LATER.nowMs + 15_000 });
    const full = { ...lost, attempts: new Map(lost.attempts).set(other.id, other) };
    const { reply, job } = step(full, aBeat([{ ...REF, state: 'running' }]), LATER);
    expect(reply).toMatchObject({ verdicts: [{ kind: 'unleased' }] });
    expect(job?.status).toBe('queued');
  });

  test('does not take an exclusive process on again', () => {
    const lost = aLostSlice({ job: { spec: aSpec({ disconnect: { exclusive: true } }) } });
    expect(step(lost, aBeat([{ ...REF, state: 'running' }]), LATER).reply).toMatchObject({ verdicts: [{ kind: 'unleased' }] });
  });

  test('from before a start that was granted does not stop what was lost since: the next one takes it on again', () => {
    const late = step(aLostSlice(), aBeat([{ ...REF, state: 'accepted' }]), LATER);
    expect(late.reply).toMatchObject({ verdicts: [{ kind: 'unleased' }] });
    expect(step(late.after, aBeat([{ ...REF, state: 'running' }]), LATER).reply).toMatchObject({ verdicts: [{ kind: 'reclaimed' }] });
  });

  test('asks for the end of a lost attempt whose process is gone', () => {
    expect(step(aLostSlice(), aBeat([{ ...REF, state: 'exited' }]), LATER).reply).toMatchObject({ verdicts: [{ kind: 'reportEnd' }] });
  });

  test('counts as usable what is free and what is leased here, so an offer on its way costs no slot', () => {
    const offered = aRunningSlice({ job: { status: 'assigned' }, attempt: { state: 'offered' } });
    expect(step(offered, aBeat([], { slotsFree: 2 })).after.workers.get(WORKER)?.slotsUsable).toBe(2);
    expect(step(aRunningSlice(), aBeat([{ ...REF, state: 'running' }], { slotsFree: 0 })).after.workers.get(WORKER)?.slotsUsable).toBe(1);
  });
});

describe('hello', () => {
  test('of a new start takes the worker over and closes the older sockets', () => {
    const { reply, decision } = step(aRunningSlice(), aHello([{ ...REF, state: 'running' }], { session: 0, instanceId: newInstanceId(2, 'b') }));
    expect(reply).toMatchObject({ kind: 'synced', session: 2, verdicts: [{ kind: 'keep' }] });
    expect(decision.notices).toContainEqual({ kind: 'closeSession', workerId: WORKER, session: 1, reason: 'superseded' });
  });

  test('repeated because its answer was lost gets the same session', () => {
    expect(step(aRunningSlice(), aHello([], { session: 0 })).reply).toMatchObject({ session: 1 });
  });

  test('of an earlier start that arrives late is superseded', () => {
    const slice = aRunningSlice({ worker: { instanceId: newInstanceId(7, 'g'), session: 7 } });
    expect(step(slice, aHello([], { session: 0, instanceId: newInstanceId(6, 'f') })).reply).toEqual({ kind: 'senderRefused', reason: 'superseded' });
  });

  test('of a restored copy of the state directory is taken once the worker has been silent for long', () => {
    const slice = aRunningSlice({ worker: { instanceId: newInstanceId(7, 'g'), session: 7 } });
    const hello = aHello([], { session: 0, instanceId: newInstanceId(6, 'f') });
    expect(step(slice, hello, { nowMs: NOW_MS + 120_000 }).reply).toMatchObject({ kind: 'synced', session: 8 });
  });

  test('with an older session is superseded', () => {
    const slice = aRunningSlice({ worker: { session: 3 } });
    expect(step(slice, aHello([], { session: 2 })).reply).toEqual({ kind: 'senderRefused', reason: 'superseded' });
  });

  test('of a new start loses what it does not list, and burns the epoch', () => {
    const { job } = step(aRunningSlice(), aHello([], { session: 0, instanceId: newInstanceId(2, 'b') }));
    expect(job).toMatchObject({ status: 'queued', losses: 1, epoch: 2 });
  });

  test('of the same start loses nothing: it may be late', () => {
    expect(step(aRunningSlice(), aHello([])).job?.status).toBe('running');
  });

  test('leaves unlisted exclusive attempts to their lease', () => {
    const slice = aRunningSlice({ job: { spec: aSpec({ disconnect: { exclusive: true } }) } });
    expect(step(slice, aHello([], { session: 0, instanceId: newInstanceId(2, 'b') })).job?.status).toBe('running');
  });

  test('of a new start gives offers back that it does not know, for another agent with its name may have taken them', () => {
    const slice = aRunningSlice({ job: { status: 'assigned' }, attempt: { state: 'offered' } });
    const { job, attempt } = step(slice, aHello([], { session: 0, instanceId: newInstanceId(2, 'b') }));
    expect(job).toMatchObject({ status: 'queued', losses: 0, failures: 0, epoch: 2 });
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'refused' });
  });

  test('of the same start is made the offers it has not taken yet', () => {
    const slice = aRunningSlice({ job: { status: 'assigned' }, attempt: { state: 'offered' } });
    expect(step(slice, aHello([])).decision.notices).toContainEqual({ kind: 'offer', workerId: WORKER, session: 1, attemptId: ATTEMPT });
  });

  test('that comes with a key which was revoked meanwhile is refused', () => {
    expect(step(aRunningSlice({ worker: { isFenced: true } }), aHello([])).reply).toEqual({ kind: 'senderRefused', reason: 'keyRevoked' });
  });

  test('of a removed worker is refused', () => {
    expect(step(aRunningSlice({ worker: { isRemoved: true } }), aHello([])).reply).toEqual({ kind: 'senderRefused', reason: 'removed' });
  });
});

describe('cancel', () => {
  const CANCEL = { type: 'cancel', jobId: JOB, force: false, actor: 'ada' } as const;

  test('of a queued job is done at once', () => {
    expect(step(aSlice({ jobs: [aJob()] }), CANCEL).job).toMatchObject({ status: 'cancelled', desired: 'cancel', reason: 'cancelledByUser' });
  });

  test('of an offered job withdraws the offer and burns the epoch', () => {
    const slice = aRunningSlice({ job: { status: 'assigned' }, attempt: { state: 'offered' } });
    const { job, attempt, decision } = step(slice, CANCEL);
    expect([job?.status, job?.epoch, attempt?.outcome]).toEqual(['cancelled', 2, 'cancelled']);
    expect(decision.notices).toContainEqual({ kind: 'withdraw', workerId: WORKER, ref: REF });
  });

  test('of a running job is a wish until its process is gone', () => {
    const { job, decision, after } = step(aRunningSlice(), CANCEL);
    expect(job).toMatchObject({ status: 'running', desired: 'cancel', reason: 'cancelling' });
    expect(decision.notices).toContainEqual(expect.objectContaining({ kind: 'command', ref: REF }));
    expect(step(after, anEnd({ outcome: 'cancelled', exit: { code: null, signal: 'SIGTERM' } })).job?.status).toBe('cancelled');
  });

  test('asked for twice does not begin anew; with force it does, once', () => {
    const once = step(aRunningSlice(), CANCEL).after;
    expect(step(once, CANCEL).decision).toMatchObject({ jobs: [], events: [], notices: [] });
    const forced = step(once, { ...CANCEL, force: true });
    expect(forced.job?.force).toBe(true);
    expect(step(forced.after, { ...CANCEL, force: true }).decision.jobs).toEqual([]);
  });

  test('that comes after the job succeeded changes nothing', () => {
    const wanted = step(aRunningSlice(), CANCEL).after;
    expect(step(wanted, anEnd()).job).toMatchObject({ status: 'completed' });
  });

  test('of a final job is illegal, of a cancelled one already done, of none not found', () => {
    const completed = aSlice({ jobs: [aJob({ status: 'completed', finishedMs: NOW_MS })] });
    expect(step(completed, CANCEL).reply).toEqual({ kind: 'illegal', status: 'completed', allowedActions: [] });
    expect(step(aSlice({ jobs: [aJob({ status: 'cancelled', finishedMs: NOW_MS })] }), CANCEL).reply).toEqual({ kind: 'done' });
    expect(step(aSlice(), CANCEL).reply).toEqual({ kind: 'notFound' });
  });

  test('ends with the lease when the worker never comes back', () => {
    const wanted = step(aRunningSlice(), CANCEL).after;
    expect(step(wanted, { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER).job).toMatchObject({ status: 'cancelled', losses: 0 });
  });
});

describe('sweep', () => {
  test('loses an attempt whose lease is over, and keeps the epoch so that its process may come back', () => {
    const { job, attempt } = step(aRunningSlice(), { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER);
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'lost' });
    expect(job).toMatchObject({ status: 'queued', reason: 'backoff', epoch: 1, losses: 1, lossesWhileRunning: 1, notBeforeMs: LATER.nowMs + 5_000 });
  });

  test('leaves an attempt alone that was renewed since it was found', () => {
    expect(step(aRunningSlice(), { type: 'sweepAttempt', attemptId: ATTEMPT }).decision.attempts).toEqual([]);
  });

  test('never loses an attempt that waits for its worker', () => {
    const slice = aRunningSlice({ attempt: { leaseUntilMs: null } });
    expect(step(slice, { type: 'sweepAttempt', attemptId: ATTEMPT }, { nowMs: NOW_MS * 2 }).decision.attempts).toEqual([]);
  });

  test('fails a job that nobody took within its queue limit, and only before its first start', () => {
    const spec = aSpec({ limits: { queueSeconds: 60 } });
    const at = { nowMs: NOW_MS + 60_000 };
    const sweep = { type: 'sweepQueued', jobId: JOB } as const;
    expect(step(aSlice({ jobs: [aJob({ spec })] }), sweep, at).job).toMatchObject({ status: 'failed', reason: 'queueTimeout' });
    expect(step(aSlice({ jobs: [aJob({ spec, startedMs: NOW_MS })] }), sweep, at).job?.status).toBe('queued');
    expect(step(aSlice({ jobs: [aJob({ spec })] }), sweep, { nowMs: NOW_MS + 59_999 }).job?.status).toBe('queued');
  });

  test('shows a silent worker on its jobs and never improves a link', () => {
    const silent = step(aRunningSlice(), { type: 'workerLink', workerId: WORKER, socket: 'silent' }, { nowMs: NOW_MS + 60_000 });
    expect(silent.job?.reason).toBe('workerUnreachable');
    expect(silent.decision.systemLines[0]?.text).toContain('anvil does not answer');
    expect(step(silent.after, { type: 'workerLink', workerId: WORKER, socket: 'closed' }).decision.workers).toEqual([]);
  });
});

describe('people', () => {
  const away = aRunningSlice({ worker: { link: 'unreachable' }, attempt: { leaseUntilMs: null }, job: { spec: aSpec({ disconnect: { onWorkerLost: 'wait' } }) } });

  test('take a job back from a worker that does not answer, and its process is stopped when it does', () => {
    const { job, after } = step(away, { type: 'requeue', jobId: JOB, actor: 'ada' });
    expect(job).toMatchObject({ status: 'queued', epoch: 2, losses: 0 });
    expect(step(after, aBeat([{ ...REF, state: 'running' }])).reply).toMatchObject({ verdicts: [{ kind: 'stop', reason: 'superseded' }] });
  });

  test('give a job up', () => {
    expect(step(away, { type: 'abandon', jobId: JOB, actor: 'ada' }).job).toMatchObject({ status: 'failed', reason: 'abandoned' });
  });

  test('cannot take a job back from a worker that answers', () => {
    expect(step(aRunningSlice(), { type: 'requeue', jobId: JOB, actor: 'ada' }).reply).toMatchObject({ kind: 'illegal', allowedActions: ['cancel', 'forceCancel', 'pause'] });
  });
});

describe('a beat that lists many executions', () => {
  test('looks through the rows a fixed number of times, however many it lists', () => {
    const looks = (count: number): number => {
      const numbers = Array.from({ length: count }, (_one, index) => index + 1);
      const rows = numbers.map((n) => ({ jobId: `job_${n}` as JobId, id: `att_${n}` as AttemptId }));
      const slice = aSlice({
        jobs: rows.map(({ jobId, id }) => aJob({ id: jobId, status: 'running', reason: 'running', epoch: 1, attemptCount: 1, currentAttemptId: id, startedMs: NOW_MS })),
        attempts: rows.map(({ jobId, id }) => anAttempt({ id, jobId, state: 'running', startedMs: NOW_MS })),
        workers: [aWorker({ slots: count })],
      });
      const values = jest.spyOn(slice.attempts, 'values');
      const { reply } = step(slice, aBeat(rows.map(({ id }) => ({ attemptId: id, epoch: 1, state: 'running' }))));
      expect(reply.kind === 'beat' && reply.verdicts.every((verdict) => verdict.kind === 'keep')).toBe(true);
      return values.mock.calls.length;
    };
    expect(looks(50)).toBe(looks(2));
  });
});

describe('facts needed', () => {
  test('a beat needs its worker, what it lists, and what those go on as', () => {
    expect(factsNeeded(aBeat([{ ...REF, state: 'running' }]))).toMatchObject({
      workerIds: [WORKER], liveOfWorkers: [WORKER], attemptIds: [ATTEMPT], newestOfAttempts: [ATTEMPT],
    });
  });
});
