import { ATTEMPT_STATES, FINAL_JOB_STATUSES, JOB_STATUSES, WORKER_LINKS } from '@muster/protocol';
import { aJob, aSpec } from '../test/factories.js';
import { ATTEMPT_TRANSITIONS, attemptStatesBefore, mayAttemptMove } from './attempt-lifecycle.js';
import { JOB_TRANSITIONS, allowedActions, isFinalJob, jobStatusesBefore, mayJobMove } from './job-lifecycle.js';
import { WORKER_LINK_TRANSITIONS, isMassSilence, workerLink, workerStatus } from './worker-lifecycle.js';

function reachable(table: Readonly<Record<string, object>>, from: string): Set<string> {
  const seen = new Set([from]);
  for (const state of seen) for (const next of Object.keys(table[state] ?? {})) seen.add(next);
  return seen;
}

function causes(table: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>): readonly (readonly string[])[] {
  return Object.values(table).flatMap((row) => Object.values(row));
}

describe('lifecycles', () => {
  test('every status of a job is reached from queued', () => {
    expect([...reachable(JOB_TRANSITIONS, 'queued')].sort()).toEqual([...JOB_STATUSES].sort());
  });

  test('final statuses are those nothing leaves', () => {
    expect(JOB_STATUSES.filter(isFinalJob)).toEqual([...FINAL_JOB_STATUSES]);
  });

  test('every state of an attempt is reached from its making', () => {
    expect([...reachable(ATTEMPT_TRANSITIONS, 'new')].sort()).toEqual([...ATTEMPT_STATES, 'new'].sort());
  });

  test('an ended attempt never lives again', () => {
    expect(Object.keys(ATTEMPT_TRANSITIONS.ended)).toEqual(['ended']);
  });

  test('every link of a worker is reached from every other', () => {
    for (const link of WORKER_LINKS) expect(reachable(WORKER_LINK_TRANSITIONS, link).size).toBe(WORKER_LINKS.length);
  });

  test('every move has a cause, and no two the same within a row', () => {
    for (const table of [JOB_TRANSITIONS, ATTEMPT_TRANSITIONS, WORKER_LINK_TRANSITIONS]) {
      for (const list of causes(table)) {
        expect(list.length).toBeGreaterThan(0);
        expect(new Set(list).size).toBe(list.length);
      }
    }
  });

  test('guards name the states a move may begin in', () => {
    expect(jobStatusesBefore('assigned')).toEqual(['queued']);
    expect(attemptStatesBefore('finalizing')).toEqual(['running', 'paused']);
    expect(mayJobMove('completed', 'queued')).toBe(false);
    expect(mayAttemptMove('finalizing', 'running')).toBe(false);
  });
});

describe('allowed actions', () => {
  const held = { status: 'running', currentAttemptId: aJob().currentAttemptId ?? ('att_1' as never) } as const;

  test('nothing can be done with a final job', () => {
    for (const status of FINAL_JOB_STATUSES) expect(allowedActions(aJob({ status }), null)).toEqual([]);
  });

  test('a queued job can be cancelled and held back', () => {
    expect(allowedActions(aJob(), null)).toEqual(['cancel', 'pause']);
  });

  test('a running job can be cancelled, also without grace, and paused', () => {
    expect(allowedActions(aJob(held), 'connected')).toEqual(['cancel', 'forceCancel', 'pause']);
  });

  test('a paused job can be resumed, wherever it stands, and a job at its checkpoint cannot', () => {
    expect(allowedActions(aJob({ ...held, desired: 'pause' }), 'connected')).toEqual(['cancel', 'forceCancel', 'resume']);
    expect(allowedActions(aJob({ status: 'paused', desired: 'pause', reason: 'held' }), null)).toEqual(['cancel', 'resume']);
    expect(allowedActions(aJob({ status: 'paused', reason: 'checkpointed' }), null)).toEqual(['cancel']);
  });

  test('a job that asks for a checkpoint is not offered to be frozen', () => {
    expect(allowedActions(aJob({ ...held, spec: { ...aSpec(), pause: 'checkpoint' } }), 'connected')).toEqual(['cancel', 'forceCancel']);
  });

  test('a job whose worker does not answer can be taken back or given up', () => {
    expect(allowedActions(aJob(held), 'unreachable')).toEqual(['cancel', 'forceCancel', 'pause', 'requeue', 'abandon']);
  });

  test('an exclusive job is not taken back while its old copy may be alive', () => {
    const spec = aSpec({ disconnect: { exclusive: true } });
    expect(allowedActions(aJob({ ...held, spec }), 'unreachable')).not.toContain('requeue');
  });

  test('a job being cancelled offers only what is stronger', () => {
    expect(allowedActions(aJob({ ...held, desired: 'cancel' }), 'connected')).toEqual(['forceCancel']);
    expect(allowedActions(aJob({ ...held, desired: 'cancel', force: true }), 'unreachable')).toEqual(['abandon']);
  });
});

describe('workers', () => {
  const link = (silentMs: number | null, isSocketClosed = false) => workerLink({ silentMs, isSocketClosed, beatIntervalMs: 10_000, workerTimeoutMs: 60_000 });

  test('a worker is suspect after two intervals or a closed socket, unreachable after W', () => {
    expect([link(0), link(19_999), link(20_000), link(0, true), link(60_000), link(60_000, true), link(null)]).toEqual([
      'connected', 'connected', 'suspect', 'suspect', 'unreachable', 'unreachable', 'unreachable',
    ]);
  });

  test.each([
    ['offline', { link: 'unreachable', isInMaintenance: true, hasError: true, slots: 1, slotsUsed: 1 }],
    ['maintenance', { link: 'suspect', isInMaintenance: true, hasError: true, slots: 1, slotsUsed: 1 }],
    ['error', { link: 'connected', isInMaintenance: false, hasError: true, slots: 1, slotsUsed: 1 }],
    ['busy', { link: 'connected', isInMaintenance: false, hasError: false, slots: 1, slotsUsed: 1 }],
    ['online', { link: 'connected', isInMaintenance: false, hasError: false, slots: 2, slotsUsed: 1 }],
  ] as const)('shows %s before anything weaker', (status, facts) => {
    expect(workerStatus(facts)).toBe(status);
  });

  test('silence of five workers that are more than half is not believed', () => {
    expect([isMassSilence(4, 4), isMassSilence(5, 10), isMassSilence(5, 9), isMassSilence(6, 11)]).toEqual([false, false, true, true]);
  });
});
