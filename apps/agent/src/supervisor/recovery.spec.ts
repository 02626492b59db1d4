import { decideRecovery, type RecoveryFacts } from './recovery.js';

const supervisor = { pid: 10, startTicks: 100 };
const job = { pid: 11, startTicks: 101 };

/** An execution in the middle of its run, whose agent has just been restarted. */
const running: RecoveryFacts = {
  hasIntent: true,
  hasEnd: false,
  status: null,
  isClaimLost: false,
  noexec: false,
  go: 'job',
  ident: { bootId: 'boot', supervisor, job, startedAtSeconds: 1 },
  bootId: 'boot',
  isSupervisorAlive: true,
  isJobAlive: true,
};
const status = { code: 0, text: null, atSeconds: 1 };
const unclaimed = { bootId: null, supervisor: null, job: null, startedAtSeconds: null };

describe('recovery', () => {
  const table: [string, Partial<RecoveryFacts>, ReturnType<typeof decideRecovery>][] = [
    ['removes what has no intent', { hasIntent: false, status }, { kind: 'discard' }],
    ['repeats a known end', { hasEnd: true, status, isSupervisorAlive: false }, { kind: 'ended' }],
    ['takes a status for the end', { status, isSupervisorAlive: false, isJobAlive: false }, { kind: 'exited' }],
    ['takes a status for the end whoever made go', { status, go: 'agent' }, { kind: 'exited' }],
    ['takes a status for the end after a reboot too', { status, bootId: 'other' }, { kind: 'exited' }],
    [
      'forbids a start nobody has decided',
      { go: null, ident: { ...running.ident, job: null } },
      { kind: 'forbidStart' },
    ],
    ['forbids a start even when the job is about to make it', { go: null }, { kind: 'forbidStart' }],
    ['forbids a start nobody has claimed', { go: null, ident: unclaimed }, { kind: 'forbidStart' }],
    ['knows a start it forbade before', { go: 'agent' }, { kind: 'neverStarted' }],
    [
      'knows a go that no job made',
      { ident: { ...running.ident, job: null }, isSupervisorAlive: false },
      { kind: 'neverStarted' },
    ],
    [
      'adopts what a living supervisor has claimed, although nobody can tell who the job is',
      { ident: { ...running.ident, job: null } },
      { kind: 'adopt' },
    ],
    ['knows a go that nobody has claimed', { ident: unclaimed, isSupervisorAlive: false }, { kind: 'neverStarted' }],
    [
      'never says of what was claimed that it never ran, when a power cut took the claim',
      { isClaimLost: true, ident: unclaimed, isSupervisorAlive: false },
      { kind: 'lostToReboot' },
    ],
    ['gives up what ran before a reboot', { bootId: 'other' }, { kind: 'lostToReboot' }],
    ['adopts what its supervisor watches', {}, { kind: 'adopt' }],
    ['adopts it also when only the job is gone', { isJobAlive: false }, { kind: 'adopt' }],
    [
      'knows that a dead supervisor leaves the job running',
      { isSupervisorAlive: false },
      { kind: 'supervisorDied', isJobAlive: true },
    ],
    [
      'knows that both are gone',
      { isSupervisorAlive: false, isJobAlive: false },
      { kind: 'supervisorDied', isJobAlive: false },
    ],
  ];
  it.each(table)('%s', (_what, facts, verdict) => {
    expect(decideRecovery({ ...running, ...facts })).toEqual(verdict);
  });
});
