/** The states of one try, as job-lifecycle.ts has those of a job. `new` is the moment before it exists. */
import type { AttemptState } from '@muster/protocol';

export const ATTEMPT_TRANSITIONS = {
  new: {
    offered: ['claimed'],
    running: ['reclaimed'],
    paused: ['reclaimed while frozen'],
  },
  offered: {
    running: ['start granted'],
    ended: ['refused', 'offer expired', 'job cancelled', 'job paused', 'taken back from its worker'],
  },
  running: {
    paused: ['frozen'],
    finalizing: ['process gone'],
    ended: ['end', 'lease over', 'unknown to its agent', 'refused before its process began', 'given up by a person'],
  },
  paused: {
    running: ['thawed'],
    finalizing: ['process gone'],
    ended: ['end', 'lease over', 'unknown to its agent', 'given up by a person'],
  },
  finalizing: {
    ended: ['end', 'lease over', 'unknown to its agent', 'given up by a person'],
  },
  ended: {
    // The only way out of `ended`, and back into it: what was taken for lost had ended, and nobody else has the job yet.
    ended: ['late end of a lost attempt'],
  },
} as const satisfies Record<AttemptState | 'new', Partial<Record<AttemptState, readonly string[]>>>;

export function mayAttemptMove(from: AttemptState | 'new', to: AttemptState): boolean {
  return to in ATTEMPT_TRANSITIONS[from];
}

/** States an attempt may have just before it gets this one: what a guarded UPDATE compares with. */
export function attemptStatesBefore(to: AttemptState): readonly AttemptState[] {
  const states = Object.keys(ATTEMPT_TRANSITIONS) as (AttemptState | 'new')[];
  return states.filter((from): from is AttemptState => from !== 'new' && mayAttemptMove(from, to));
}

/** True while it holds a lease and a slot. */
export function isLive(attempt: { readonly state: AttemptState }): boolean {
  return attempt.state !== 'ended';
}

/** True once its start was granted, until it ends: a process may exist. */
export function isStarted(attempt: { readonly state: AttemptState }): boolean {
  return attempt.state === 'running' || attempt.state === 'paused' || attempt.state === 'finalizing';
}
