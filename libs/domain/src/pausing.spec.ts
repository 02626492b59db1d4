import type { AttemptEnd, AttemptId, ExecutionReport } from '@muster/protocol';
import { ATTEMPT, JOB, NOW_MS, WORKER, aContext, aJob, aProfile, aRunningSlice, aSlice, aSpec, aWorker, step } from '../test/factories.js';
import { decideClaim } from './claim.js';
import type { Slice } from './slice.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const FROM = { workerId: WORKER, session: 1 } as const;
const LATER = { nowMs: NOW_MS + 360_000 };
const PAUSE = { type: 'pause', jobId: JOB, actor: 'ada' } as const;
const RESUME = { type: 'resume', jobId: JOB, actor: 'ada' } as const;
const CANCEL = { type: 'cancel', jobId: JOB, force: false, actor: 'ada' } as const;

function aBeat(state: ExecutionReport['state'], ref = REF) {
  return { type: 'beat', ...FROM, executions: [{ ...ref, state }], isPaused: false, slotsFree: 1, gpusHeld: [] } as const;
}

function anEnd(end: Partial<AttemptEnd> = {}) {
  return {
    type: 'end', ...FROM, ...REF, outcome: 'succeeded', exit: null, detail: null, containment: 'group', leftovers: 0, logs: {},
    usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null }, ranMs: null, ...end,
  } as const;
}

function claimed(slice: Slice) {
  return decideClaim(slice, { candidates: [JOB], profiles: new Map([[WORKER, aProfile()]]), activeByOwner: new Map() }, aContext()).attempts;
}

const queued = aSlice({ jobs: [aJob()], workers: [aWorker()] });
const offered = aRunningSlice({ job: { status: 'assigned', reason: 'offered', startedMs: null }, attempt: { state: 'offered', startedMs: null } });
const asked = step(aRunningSlice(), PAUSE).after;
const frozen = step(asked, aBeat('paused')).after;

describe('a pause', () => {
  test('of a queued job holds it back at once, and no worker is offered it', () => {
    const { reply, job, after } = step(queued, PAUSE);
    expect([reply, job]).toEqual([{ kind: 'done' }, expect.objectContaining({ status: 'paused', desired: 'pause', reason: 'held', epoch: 0 })]);
    expect([claimed(queued).length, claimed(after).length]).toEqual([1, 0]);
  });

  test('of an offered job withdraws the offer and burns the epoch, so that it cannot start any more', () => {
    const { job, attempt, decision, after } = step(offered, PAUSE);
    expect(job).toMatchObject({ status: 'paused', reason: 'held', epoch: 2, currentAttemptId: null });
    expect(attempt).toMatchObject({ state: 'ended', outcome: 'superseded' });
    expect(decision.notices).toContainEqual({ kind: 'withdraw', workerId: WORKER, ref: REF });
    expect(step(after, { type: 'start', ...FROM, ...REF }).reply).toEqual({ kind: 'no', reason: 'superseded' });
  });

  test('of a running job is a wish that its worker is told of at once', () => {
    const { job, attempt, decision } = step(aRunningSlice(), PAUSE);
    expect([job?.status, job?.desired, job?.reason, attempt?.state]).toEqual(['running', 'pause', 'pausing', 'running']);
    expect(decision.notices).toContainEqual(expect.objectContaining({ kind: 'command', ref: REF, command: expect.objectContaining({ kind: 'freeze' }) }));
  });

  test('is repeated with every beat until the worker reports the job frozen', () => {
    for (const state of ['accepted', 'running'] as const) {
      const beat = step(asked, aBeat(state));
      expect([beat.reply, beat.job?.reason]).toEqual([expect.objectContaining({ verdicts: [expect.objectContaining({ command: expect.objectContaining({ kind: 'freeze', reason: 'paused' }) })] }), 'pausing']);
    }
    const done = step(asked, aBeat('paused'));
    expect(done.reply).toMatchObject({ verdicts: [{ kind: 'keep', command: null }] });
    expect([done.job?.status, done.job?.reason, done.attempt?.state]).toEqual(['paused', 'frozen', 'paused']);
    expect(done.decision.events.map((event) => event.type)).toEqual(['job.paused']);
  });

  test('is repeated in the answer to hello as well', () => {
    const hello = { type: 'hello', workerId: WORKER, instanceId: '0000000001-a', session: 1, slots: 2, executions: [{ ...REF, state: 'running' }], gpusHeld: [] } as const;
    expect(step(asked, hello).reply).toMatchObject({ verdicts: [{ kind: 'keep', command: { kind: 'freeze' } }] });
  });

  test('keeps the lease of a frozen job alive by its beats, like that of any other', () => {
    expect(step(frozen, aBeat('paused'), { nowMs: NOW_MS + 5_000 }).attempt?.leaseUntilMs).toBe(NOW_MS + 5_000 + 360_000);
  });

  test('asked for twice changes nothing the second time', () => {
    for (const slice of [step(queued, PAUSE).after, asked, frozen]) {
      expect(step(slice, PAUSE)).toMatchObject({ reply: { kind: 'done' }, decision: { jobs: [], attempts: [], events: [], notices: [] } });
    }
  });

  test('of a final job is illegal, of a job being cancelled too, of none not found', () => {
    expect(step(aSlice({ jobs: [aJob({ status: 'completed', finishedMs: NOW_MS })] }), PAUSE).reply).toEqual({ kind: 'illegal', status: 'completed', allowedActions: [] });
    expect(step(step(aRunningSlice(), CANCEL).after, PAUSE).reply).toMatchObject({ kind: 'illegal', detail: expect.stringContaining('being cancelled') });
    expect(step(aSlice(), PAUSE).reply).toEqual({ kind: 'notFound' });
  });

  test('of a job that asks for a checkpoint is refused by name, never a freeze in its stead', () => {
    const spec = { ...aSpec(), pause: 'checkpoint' } as const;
    const { reply, decision } = step(aRunningSlice({ job: { spec } }), PAUSE);
    expect(reply).toMatchObject({ kind: 'illegal', status: 'running', detail: expect.stringContaining('pause: checkpoint') });
    expect(decision.jobs).toEqual([]);
  });

  test('of a job whose worker does not answer waits for it, and the link stays what is shown', () => {
    const away = aRunningSlice({ worker: { link: 'unreachable' }, job: { reason: 'workerUnreachable' } });
    const { job, after } = step(away, PAUSE);
    expect(job).toMatchObject({ status: 'running', desired: 'pause', reason: 'workerUnreachable' });
    expect(step(after, aBeat('running'))).toMatchObject({ job: { reason: 'pausing' }, reply: { verdicts: [{ command: { kind: 'freeze' } }] } });
  });

  test('that comes while the job is ending lets it end', () => {
    const gone = step(aRunningSlice(), aBeat('exited')).after;
    const late = step(gone, PAUSE);
    expect(late.decision.notices.filter((notice) => notice.kind === 'command')).toEqual([]);
    expect(step(late.after, anEnd()).job).toMatchObject({ status: 'completed' });
  });
});

describe('a paused job', () => {
  test('that ends by itself, or is killed, ends as it did', () => {
    expect(step(frozen, anEnd()).job).toMatchObject({ status: 'completed' });
    expect(step(frozen, anEnd({ outcome: 'failed', exit: { code: null, signal: 'SIGKILL' } })).job).toMatchObject({ status: 'failed', reason: 'signalled' });
    expect(step(frozen, aBeat('exited'))).toMatchObject({ job: { status: 'paused', reason: 'frozen' }, attempt: { state: 'finalizing' } });
  });

  test('is held, not offered to others, when its worker is lost or stopped or its attempt failed with tries left', () => {
    const lost = step(frozen, { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER);
    expect(lost.job).toMatchObject({ status: 'paused', reason: 'held', losses: 1, currentAttemptId: null, notBeforeMs: LATER.nowMs + 5_000 });
    expect(claimed(lost.after)).toEqual([]);
    expect(step(frozen, anEnd({ outcome: 'stopped' })).job).toMatchObject({ status: 'paused', reason: 'held' });
    const twice = step(aRunningSlice({ job: { spec: aSpec({ retry: { onFailure: 1 } }), desired: 'pause', reason: 'pausing' } }), anEnd({ outcome: 'failed', exit: { code: 1, signal: null } }));
    expect(twice.job).toMatchObject({ status: 'paused', reason: 'held', failures: 1 });
    expect(twice.decision.events.map((event) => event.type)).toContain('job.paused');
  });

  test('that was lost is taken on again frozen when its worker is back, under a new epoch', () => {
    const lost = step(frozen, { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER).after;
    const { reply, job, after } = step(lost, aBeat('paused'), LATER);
    expect(reply).toMatchObject({ verdicts: [{ kind: 'reclaimed', attempt: { epoch: 2 } }] });
    expect(job).toMatchObject({ status: 'paused', desired: 'pause', reason: 'frozen', losses: 0, currentAttemptId: 'att_8' });
    expect(after.attempts.get('att_8' as AttemptId)).toMatchObject({ state: 'paused', logId: ATTEMPT });
  });

  test('that was lost before it was frozen is taken on again and frozen then', () => {
    const lost = step(asked, { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER).after;
    const back = step(lost, aBeat('running'), LATER);
    expect(back.job).toMatchObject({ status: 'running', reason: 'pausing' });
    expect(step(back.after, aBeat('running', { attemptId: 'att_8' as AttemptId, epoch: 2 }), LATER).reply).toMatchObject({ verdicts: [{ command: { kind: 'freeze' } }] });
  });

  test('that was resumed while it was lost is taken on again and thawed', () => {
    const lost = step(frozen, { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER).after;
    const resumed = step(lost, RESUME, LATER);
    expect(resumed.job).toMatchObject({ status: 'queued', reason: 'backoff' });
    const back = step(resumed.after, aBeat('paused'), LATER);
    expect(back.job).toMatchObject({ status: 'paused', reason: 'resuming' });
    expect(step(back.after, aBeat('paused', { attemptId: 'att_8' as AttemptId, epoch: 2 }), LATER).reply).toMatchObject({ verdicts: [{ command: { kind: 'thaw' } }] });
  });

  test('that was lost and ends after all has ended', () => {
    const lost = step(frozen, { type: 'sweepAttempt', attemptId: ATTEMPT }, LATER).after;
    expect(step(lost, anEnd(), LATER)).toMatchObject({ reply: { kind: 'accepted' }, job: { status: 'completed', losses: 0 } });
  });

  test('that a person takes back from its worker is held until it is resumed', () => {
    const away = { ...frozen, workers: new Map([[WORKER, aWorker({ link: 'unreachable' })]]) };
    expect(step(away, { type: 'requeue', jobId: JOB, actor: 'bob' }).job).toMatchObject({ status: 'paused', reason: 'held', epoch: 2, currentAttemptId: null });
  });

  test('is cancelled at once when it has no process, and by the ladder when it is frozen', () => {
    expect(step(step(queued, PAUSE).after, CANCEL).job).toMatchObject({ status: 'cancelled' });
    const wanted = step(frozen, CANCEL);
    expect(wanted.job).toMatchObject({ status: 'paused', desired: 'cancel', reason: 'cancelling' });
    expect(step(wanted.after, aBeat('paused')).reply).toMatchObject({ verdicts: [{ command: { kind: 'stop' } }] });
    expect(step(wanted.after, anEnd({ outcome: 'cancelled' })).job).toMatchObject({ status: 'cancelled' });
  });

  test('with force is killed, and can neither be resumed nor paused again', () => {
    const { after } = step(frozen, { ...CANCEL, force: true });
    expect(step(after, aBeat('paused')).reply).toMatchObject({ verdicts: [{ command: { kind: 'forceStop' } }] });
    for (const command of [PAUSE, RESUME]) expect(step(after, command).reply).toMatchObject({ kind: 'illegal', allowedActions: [] });
  });

  test('does not fail by its queue limit, and waits anew when it is resumed', () => {
    const limited = aSlice({ jobs: [aJob({ spec: aSpec({ limits: { queueSeconds: 60 } }) })] });
    const held = step(limited, PAUSE).after;
    const late = { nowMs: NOW_MS + 3_600_000 };
    const sweep = { type: 'sweepQueued', jobId: JOB } as const;
    expect(step(held, sweep, late).job?.status).toBe('paused');
    const resumed = step(held, RESUME, late).after;
    expect(step(resumed, sweep, late).job?.status).toBe('queued');
    expect(step(resumed, sweep, { nowMs: late.nowMs + 60_000 }).job).toMatchObject({ status: 'failed', reason: 'queueTimeout' });
  });
});

describe('a resume', () => {
  test('of a held job puts it back in line and wakes the dispatcher', () => {
    const { job, decision, after } = step(step(queued, PAUSE).after, RESUME);
    expect(job).toMatchObject({ status: 'queued', desired: 'run', reason: 'waiting' });
    expect(decision.notices).toContainEqual({ kind: 'wakeDispatch' });
    expect(claimed(after)).toHaveLength(1);
  });

  test('of a frozen job is a wish that is repeated until the worker reports it running', () => {
    const { job, decision, after } = step(frozen, RESUME);
    expect(job).toMatchObject({ status: 'paused', desired: 'run', reason: 'resuming' });
    expect(decision.notices).toContainEqual(expect.objectContaining({ kind: 'command', command: expect.objectContaining({ kind: 'thaw' }) }));
    expect(step(after, aBeat('paused')).reply).toMatchObject({ verdicts: [{ command: { kind: 'thaw', reason: 'resumed' } }] });
    const done = step(after, aBeat('running'));
    expect([done.job?.status, done.job?.reason, done.attempt?.state]).toEqual(['running', 'running', 'running']);
    expect(done.decision.events.map((event) => event.type)).toEqual(['job.resumed']);
  });

  test('that comes before the pause was carried out takes the wish back', () => {
    const { job, after } = step(asked, RESUME);
    expect(job).toMatchObject({ status: 'running', desired: 'run', reason: 'running' });
    // The freeze was on its way already: its report is answered with a thaw.
    expect(step(after, aBeat('paused')).reply).toMatchObject({ verdicts: [{ command: { kind: 'thaw' } }] });
  });

  test('of a job that is not paused changes nothing, of a final one is illegal', () => {
    for (const slice of [queued, offered, aRunningSlice()]) expect(step(slice, RESUME)).toMatchObject({ reply: { kind: 'done' }, decision: { jobs: [], events: [] } });
    expect(step(aSlice({ jobs: [aJob({ status: 'failed', finishedMs: NOW_MS })] }), RESUME).reply).toMatchObject({ kind: 'illegal', status: 'failed' });
  });

  test('of a job that stopped at a checkpoint is refused, because it would begin from zero', () => {
    const { after } = step(aRunningSlice(), anEnd({ outcome: 'checkpointed' }));
    expect(step(after, RESUME)).toMatchObject({ reply: { kind: 'illegal', detail: expect.stringContaining('checkpoint') }, decision: { jobs: [] } });
  });

  test('of a job that was asked to pause and stopped at a checkpoint is refused as well, and not offered', () => {
    const { after, job } = step(asked, anEnd({ outcome: 'checkpointed' }));
    expect(job).toMatchObject({ status: 'paused', desired: 'pause', reason: 'checkpointed' });
    const { reply, decision } = step(after, RESUME);
    expect(reply).toMatchObject({ kind: 'illegal', allowedActions: ['cancel'], detail: expect.stringContaining('checkpoint') });
    expect([decision.jobs, decision.events]).toEqual([[], []]);
  });
});
