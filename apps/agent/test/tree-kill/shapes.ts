/** The ways in which processes get away from those who want to end them; each is a program in `corpus/`. */
export const IN_SHELL = [
  'ignores-sigterm',
  'starts-a-session',
  'forks-twice',
  'becomes-a-daemon',
  'empties-its-environment',
  'empties-its-environment-and-forks-twice',
  'ignores-hangup',
  'stops-itself',
  'does-all-of-it',
  'leaves-no-trace',
] as const;

/** A shell is too slow for a racer and too simple for a daemon by the book. */
export const IN_PYTHON = ['becomes-a-python-daemon', 'forks-without-end', 'races-through-sessions'] as const;

export type Shape = (typeof IN_SHELL | typeof IN_PYTHON)[number];

/** What outlives its job where it is held by rung `group`; docs/agent.md names the same, and no more. */
export const RESIDUE: readonly Shape[] = ['leaves-no-trace'];
