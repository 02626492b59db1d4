import type { AttemptId, JobId, Verdict, WorkerId } from '@muster/protocol';
import { BEAT_MS, Driven, END, REF, X, anOffer } from '../test/driven-agent.js';
import { aSpec } from '../test/factories.js';
import { nextWakeMs } from './agent-step.js';
import type { RecoveredExecution } from './agent/state.js';

describe('from offer to process', () => {
  test('an offer writes the intent, and nothing else', () => {
    expect(new Driven().synced().on({ type: 'offered', offer: anOffer(), objection: null, nowMs: 0 }).types).toEqual(['writeIntent']);
  });

  test('an intent that cannot be written gives the attempt back for the reason found', () => {
    const agent = new Driven().synced().on({ type: 'offered', offer: anOffer(), objection: null, nowMs: 0 });
    agent.on({ type: 'intentFailed', executionId: X, reason: 'noSlot', detail: 'all taken', nowMs: 1 });
    expect(agent.effects).toEqual([
      { type: 'forget', executionId: X },
      { type: 'sendRefuse', refuse: { ...REF, reason: 'noSlot', detail: 'all taken' } },
    ]);
  });

  test('start is asked for once the intent is durable', () => {
    expect(new Driven().synced().asking().effects).toEqual([{ type: 'sendStart', ref: REF }]);
  });

  test('a process starts only by a go', () => {
    const agent = new Driven().synced().asking().answered({ kind: 'go', leaseMs: 360_000 }, 1_000, 1_050);
    expect(agent.effects).toEqual([{ type: 'spawn', executionId: X, notAfterMs: 1_000 + 10_500, deadlineMs: null }]);
  });

  test('an exclusive process gets its deadline before it exists, counted from when the request was sent', () => {
    const agent = new Driven().synced().asking(anOffer({ spec: aSpec({ disconnect: { exclusive: true } }) }));
    expect(agent.answered({ kind: 'go', leaseMs: 10_000 }, 1_000, 1_050).effects).toEqual([{ type: 'spawn', executionId: X, notAfterMs: 8_000, deadlineMs: 8_000 }]);
  });

  test('a go that comes later than 0.7 of the offer after its request was sent is not acted upon, and start is asked for anew', () => {
    const agent = new Driven().synced().asking().answered({ kind: 'go', leaseMs: 360_000 }, 0, 10_501);
    expect([agent.phase, agent.effects[0]]).toEqual(['asking', { type: 'sendStart', ref: REF }]);
  });

  test('after three late goes the attempt is given back', () => {
    const agent = new Driven().synced().asking();
    for (const nowMs of [11_000, 22_000, 33_000]) agent.answered({ kind: 'go', leaseMs: 360_000 }, nowMs - 11_000, nowMs);
    expect(agent.effects).toEqual(expect.arrayContaining([{ type: 'forget', executionId: X }, expect.objectContaining({ type: 'sendRefuse' })]));
    expect(agent.types.indexOf('forget')).toBeLessThan(agent.types.indexOf('sendRefuse'));
  });

  test('a second go changes nothing', () => {
    expect(new Driven().running().answered({ kind: 'go', leaseMs: 360_000 }, 0, 30).effects).toEqual([]);
  });

  test.each(['superseded', 'expired'] as const)('a no because %s forgets the intent', (reason) => {
    expect(new Driven().synced().asking().answered({ kind: 'no', reason }, 0, 10).effects).toEqual([{ type: 'forget', executionId: X }]);
  });

  test('a no because the job was cancelled is reported as an end, though nothing ran', () => {
    const agent = new Driven().synced().asking().answered({ kind: 'no', reason: 'cancelled' }, 0, 10);
    expect(agent.effects).toEqual([expect.objectContaining({ type: 'sendEnd', end: expect.objectContaining({ ...REF, outcome: 'cancelled' }) })]);
    expect(agent.endAnswered({ ok: { kind: 'accepted' } }).types).toEqual(['forget']);
  });

  test('start is asked for again when no answer came, and at once on a new connection', () => {
    const agent = new Driven().synced().asking().on({ type: 'startAnswered', ref: REF, sentMs: 0, answer: 'timeout', nowMs: 5_000 });
    expect([agent.types, nextWakeMs(agent.state)]).toEqual([[], 8_000]);
    expect(agent.on({ type: 'tick', nowMs: 8_000 }).types).toEqual(['sendStart']);
    agent.on({ type: 'disconnected', nowMs: 8_100 });
    expect(agent.synced(8_200).types).toContain('sendStart');
  });

  test('a withdrawn offer is forgotten, a withdrawn process is not', () => {
    expect(new Driven().synced().asking().on({ type: 'withdrawn', ref: REF, nowMs: 5 }).types).toEqual(['forget']);
    expect(new Driven().running().on({ type: 'withdrawn', ref: REF, nowMs: 5 }).types).toEqual([]);
  });

  test('a start that came too late to be carried out is asked for anew', () => {
    const agent = new Driven().synced().asking().answered({ kind: 'go', leaseMs: 360_000 }, 0, 10);
    agent.on({ type: 'ended', executionId: X, end: { ...END, outcome: 'refused', exit: null }, isQuarantined: false, nowMs: 12_000 });
    expect(agent.types).toEqual(['sendStart', 'sendBeat']);
  });
});

describe('declining', () => {
  const second = anOffer({ attemptId: 'att_2' as AttemptId });

  test('offers above the slots are declined', () => {
    const agent = new Driven().running().on({ type: 'offered', offer: second, objection: null, nowMs: 30 });
    expect(agent.effects).toEqual([{ type: 'sendRefuse', refuse: { attemptId: 'att_2', epoch: 1, reason: 'noSlot', detail: 'all 1 slots are held' } }]);
  });

  test('a slot whose tree was not proven empty counts as held', () => {
    const agent = new Driven().running().on({ type: 'ended', executionId: X, end: { ...END, outcome: 'unkillable' }, isQuarantined: true, nowMs: 30 });
    expect(agent.on({ type: 'offered', offer: second, objection: null, nowMs: 40 }).effects).toEqual([expect.objectContaining({ type: 'sendRefuse' })]);
    expect(agent.on({ type: 'slotReleased', nowMs: 50 }).effects).toEqual([expect.objectContaining({ type: 'sendBeat', beat: expect.objectContaining({ slotsFree: 1 }) })]);
  });

  test('an offer declined once is not taken when it comes again', () => {
    const objection = { reason: 'diskFloor', detail: 'full' } as const;
    const agent = new Driven().synced().on({ type: 'offered', offer: anOffer(), objection, nowMs: 0 });
    expect(agent.types).toEqual(['sendRefuse']);
    expect(agent.on({ type: 'offered', offer: anOffer(), objection: null, nowMs: 10 }).effects).toEqual([]);
  });

  test('a refusal is repeated until it is heard', () => {
    const agent = new Driven().synced().on({ type: 'offered', offer: anOffer(), objection: { reason: 'runKind', detail: '' }, nowMs: 0 });
    expect(agent.on({ type: 'tick', nowMs: 3_000 }).types).toEqual(['sendRefuse']);
    agent.on({ type: 'refuseAnswered', ref: REF, sentMs: 3_000, answer: { ok: {} }, nowMs: 3_010 });
    expect(agent.on({ type: 'tick', nowMs: 6_000 }).types).toEqual([]);
  });
});

describe('the end', () => {
  test('is sent until it is acknowledged', () => {
    const agent = new Driven().exited();
    expect(agent.types).toEqual(['sendEnd']);
    expect(agent.endAnswered('timeout').types).toEqual([]);
    expect(agent.on({ type: 'tick', nowMs: 3_040 }).types).toEqual(['sendEnd']);
  });

  test.each(['accepted', 'repeated', 'superseded'] as const)('%s settles it, and the directory goes only when the log is done too', (kind) => {
    const agent = new Driven().exited().endAnswered({ ok: { kind } });
    expect(agent.types).toEqual(['settle']);
    expect(agent.on({ type: 'logDone', executionId: X, nowMs: 50 }).types).toEqual(['forget']);
  });

  test('a log that is done first does not remove the directory', () => {
    const agent = new Driven().exited().on({ type: 'logDone', executionId: X, nowMs: 35 });
    expect(agent.types).toEqual([]);
    expect(agent.endAnswered({ ok: { kind: 'accepted' } }).types).toEqual(['forget']);
  });

  test('frees the slot before it is acknowledged', () => {
    const agent = new Driven().exited();
    expect(agent.asking(anOffer({ attemptId: 'att_2' as AttemptId }), 40).types).toContain('sendStart');
  });
});

describe('verdicts', () => {
  const fenced = () => new Driven().running(anOffer({ spec: aSpec({ disconnect: { exclusive: true } }) }));

  test('a renewal moves the fence, counted from when the beat was sent, and never back', () => {
    const agent = fenced().beatAnswered({ kind: 'keep', ref: REF, leaseMs: 360_000, command: null }, 5_000, 9_000);
    expect(agent.effects).toEqual([{ type: 'setDeadline', executionId: X, deadlineMs: 257_000 }]);
    expect(agent.beatAnswered({ kind: 'keep', ref: REF, leaseMs: 360_000, command: null }, 4_000, 9_100).effects).toEqual([]);
  });

  test('past its fence an exclusive process is killed here as well', () => {
    const agent = fenced().on({ type: 'tick', nowMs: 252_000 });
    expect(agent.effects).toContainEqual({ type: 'stop', executionId: X, cause: 'leaseOver', isForced: true, graceSeconds: 0 });
  });

  test('without exclusive a process goes on when its lease is over', () => {
    const agent = new Driven().running().beatAnswered({ kind: 'unleased', ref: REF }, 0, 30);
    expect([agent.types, agent.phase]).toEqual([[], 'running']);
  });

  test('stop ends the process, says nothing of its end, and still ships its log', () => {
    const agent = new Driven().running().beatAnswered({ kind: 'stop', ref: REF, reason: 'superseded' }, 0, 30);
    expect(agent.effects).toEqual([{ type: 'stop', executionId: X, cause: 'superseded', isForced: false, graceSeconds: 10 }]);
    agent.on({ type: 'ended', executionId: X, end: { ...END, outcome: 'superseded' }, isQuarantined: false, nowMs: 60 });
    expect(agent.types).toEqual(['settle', 'sendBeat']);
  });

  test('reclaimed goes on in the new term, and a verdict about the old one says nothing more', () => {
    const next = { attemptId: 'att_9' as AttemptId, epoch: 2 };
    const agent = new Driven().running().beatAnswered({ kind: 'reclaimed', ref: REF, attempt: next, leaseMs: 360_000 }, 0, 30);
    expect(agent.effects).toEqual([{ type: 'rebind', executionId: X, ref: next }]);
    expect(agent.beatAnswered({ kind: 'stop', ref: REF, reason: 'superseded' }, 0, 40).effects).toEqual([]);
    agent.on({ type: 'ended', executionId: X, end: END, isQuarantined: false, nowMs: 50 });
    expect(agent.effects).toContainEqual({ type: 'sendEnd', end: { ...END, ...next } });
  });

  test('reportEnd sends the end again at once', () => {
    expect(new Driven().exited().beatAnswered({ kind: 'reportEnd', ref: REF }, 0, 40).types).toEqual(['sendEnd']);
  });

  test('a command repeated by every beat begins the ladder once, and force goes on from there', () => {
    const keep = (kind: 'stop' | 'forceStop'): Verdict => ({ kind: 'keep', ref: REF, leaseMs: 1, command: { kind, graceSeconds: 10, reason: 'cancelled' } });
    const agent = new Driven().running().beatAnswered(keep('stop'), 0, 30);
    expect(agent.effects).toEqual([{ type: 'stop', executionId: X, cause: 'cancelled', isForced: false, graceSeconds: 10 }]);
    expect(agent.beatAnswered(keep('stop'), 0, 40).effects).toEqual([]);
    expect(agent.beatAnswered(keep('forceStop'), 0, 50).effects).toEqual([{ type: 'stop', executionId: X, cause: 'cancelled', isForced: true, graceSeconds: 0 }]);
  });
});

describe('the link', () => {
  test('every connection begins with a hello that lists what is held', () => {
    const agent = new Driven().running().on({ type: 'disconnected', nowMs: 30 }).on({ type: 'connected', nowMs: 40 });
    expect(agent.effects).toEqual([{ type: 'sendHello', connection: 2, session: 1, executions: [{ ...REF, state: 'running' }], gpusHeld: [] }]);
  });

  test('nothing else is sent before hello is answered', () => {
    const agent = new Driven().on({ type: 'connected', nowMs: 0 }).asking();
    expect([agent.types, nextWakeMs(agent.state)]).toEqual([[], null]);
  });

  test('an answer to the hello of an earlier connection does not sync this one', () => {
    const agent = new Driven().on({ type: 'connected', nowMs: 0 }).on({ type: 'disconnected', nowMs: 1 }).on({ type: 'connected', nowMs: 2 });
    const ok = { workerId: 'wkr_1' as WorkerId, name: 'a', session: 1, beatIntervalMs: 1, workerTimeoutMs: 1, verdicts: [] };
    expect(agent.on({ type: 'helloAnswered', connection: 1, sentMs: 0, answer: { ok }, nowMs: 3 }).state.link).toBe('greeting');
  });

  test('beats go at the interval the server said, the first at once', () => {
    const agent = new Driven().synced();
    expect(agent.types).toEqual(['keepIdentity', 'sendBeat']);
    expect(nextWakeMs(agent.state)).toBe(BEAT_MS);
    expect(agent.on({ type: 'tick', nowMs: BEAT_MS - 1 }).types).toEqual([]);
    expect(agent.on({ type: 'tick', nowMs: BEAT_MS }).types).toEqual(['sendBeat']);
  });

  test('a hello that is not answered is tried on a new connection', () => {
    const agent = new Driven().on({ type: 'connected', nowMs: 0 });
    expect(agent.on({ type: 'helloAnswered', connection: 1, sentMs: 0, answer: 'timeout', nowMs: 5_000 }).types).toEqual(['reconnect']);
  });

  test('an agent told that it is superseded ends and leaves its processes alone', () => {
    const agent = new Driven().running();
    agent.on({ type: 'beatAnswered', sentMs: 0, nowMs: 30, answer: { error: { code: 'superseded', detail: '' } } });
    expect(agent.effects).toEqual([{ type: 'exit', code: 0, reason: 'superseded' }]);
    expect(agent.on({ type: 'tick', nowMs: 99_999 }).effects).toEqual([]);
  });

  test.each([['protocolVersion', 78], ['keyRevoked', 78], ['removed', 78], ['superseded', 0]] as const)('%s ends the agent with code %i', (reason, code) => {
    expect(new Driven().synced().on({ type: 'closing', reason, detail: '', nowMs: 1 }).effects).toEqual([{ type: 'exit', code, reason }]);
  });

  test('an agent whose worker was removed stops what runs as superseded, tells nothing, and ends when nothing is left', () => {
    const agent = new Driven().running().on({ type: 'closing', reason: 'removed', detail: '', nowMs: 30 });
    expect(agent.effects).toEqual([expect.objectContaining({ type: 'stop', cause: 'superseded', isForced: false })]);
    expect(agent.on({ type: 'disconnected', nowMs: 31 }).on({ type: 'connected', nowMs: 32 }).effects).toEqual([]);
    // Asked to end, or told something else, it stops what it began to stop.
    expect(agent.on({ type: 'stopAsked', keepJobs: true, nowMs: 33 }).effects).toEqual([]);
    expect(agent.on({ type: 'closing', reason: 'keyRevoked', detail: '', nowMs: 34 }).effects).toEqual([]);
    agent.on({ type: 'ended', executionId: X, end: END, isQuarantined: false, nowMs: 40 });
    expect(agent.effects).toEqual([{ type: 'settle', executionId: X }, { type: 'exit', code: 78, reason: 'removed' }]);
  });

  test('a control plane that is stopping is no reason to end', () => {
    expect(new Driven().synced().on({ type: 'closing', reason: 'shuttingDown', detail: '', nowMs: 1 }).effects).toEqual([]);
  });
});

describe('ending the agent', () => {
  test('with its jobs kept, it gives back what has not begun and leaves', () => {
    const agent = new Driven(2).running().asking(anOffer({ attemptId: 'att_2' as AttemptId }), 30);
    agent.on({ type: 'stopAsked', keepJobs: true, nowMs: 40 });
    expect(agent.types).toEqual(['forget', 'sendRefuse', 'sendBeat']);
    agent.on({ type: 'refuseAnswered', ref: { attemptId: 'att_2' as AttemptId, epoch: 1 }, sentMs: 40, answer: { ok: {} }, nowMs: 50 });
    expect(agent.effects).toEqual([{ type: 'exit', code: 0, reason: 'asked' }]);
  });

  test('without its jobs, it stops them, tells their ends, ships their logs, and leaves then', () => {
    const agent = new Driven().running().on({ type: 'stopAsked', keepJobs: false, nowMs: 30 });
    expect(agent.types).toEqual(['stop', 'sendBeat']);
    agent.on({ type: 'ended', executionId: X, end: { ...END, outcome: 'stopped' }, isQuarantined: false, nowMs: 40 });
    expect(agent.types).toEqual(['sendEnd']);
    expect(agent.endAnswered({ ok: { kind: 'accepted' } }).types).toEqual(['settle']);
    expect(agent.on({ type: 'logDone', executionId: X, nowMs: 60 }).types).toEqual(['forget', 'exit']);
  });

  test('takes no offers any more', () => {
    const agent = new Driven().running().on({ type: 'stopAsked', keepJobs: false, nowMs: 30 });
    agent.on({ type: 'offered', offer: anOffer({ attemptId: 'att_2' as AttemptId }), objection: null, nowMs: 40 });
    expect(agent.effects).toEqual([expect.objectContaining({ refuse: expect.objectContaining({ reason: 'agentStopping' }) })]);
  });
});

describe('a new start', () => {
  const found = (facts: Partial<RecoveredExecution>): RecoveredExecution => ({
    executionId: X, ref: REF, jobId: 'job_1' as JobId, number: 1, spec: aSpec(), gpus: [], offerTtlMs: 15_000, state: 'running', deadlineMs: null, end: null, stop: null,
    isLogDone: false, ...facts,
  });

  test('takes running processes on and counts their slots', () => {
    const agent = new Driven(1, [found({})]).synced();
    expect(agent.effects).toContainEqual({ type: 'sendBeat', beat: { session: 1, executions: [{ ...REF, state: 'running' }], paused: false, slotsFree: 0, gpusHeld: [] } });
  });

  test('asks anew for the start of what was accepted and never ran', () => {
    expect(new Driven(1, [found({ state: 'accepted' })]).synced().types).toContain('sendStart');
  });

  test('tells the ends that nobody heard', () => {
    expect(new Driven(1, [found({ state: 'exited', end: END })]).synced().types).toContain('sendEnd');
  });

  test('goes on shipping what is settled, and forgets what is done', () => {
    expect(new Driven(1, [found({ state: 'settled', end: END })]).types).toEqual(['settle']);
    expect(new Driven(1, [found({ state: 'settled', end: END, isLogDone: true })]).types).toEqual(['forget']);
  });

  test('begins anew the ladder that its predecessor had begun', () => {
    const agent = new Driven(1, [found({ stop: { cause: 'cancelled', isForced: false } })]);
    expect(agent.effects).toEqual([{ type: 'stop', executionId: X, cause: 'cancelled', isForced: false, graceSeconds: 10 }]);
  });

  test('holds the GPUs of processes that its predecessor could not kill', () => {
    const agent = new Driven(2, [found({ state: 'exited', end: { ...END, outcome: 'unkillable' }, gpus: [0] })], 1).synced();
    agent.on({ type: 'offered', offer: anOffer({ attemptId: 'att_2' as AttemptId, gpus: [0] }), objection: null, nowMs: 40 });
    expect(agent.types).toContain('sendRefuse');
  });

  test('kills an exclusive process whose fence has passed meanwhile', () => {
    const agent = new Driven(1, [found({ deadlineMs: -1, spec: aSpec({ disconnect: { exclusive: true } }) })]);
    expect(agent.effects).toEqual([{ type: 'stop', executionId: X, cause: 'leaseOver', isForced: true, graceSeconds: 0 }]);
  });
});
