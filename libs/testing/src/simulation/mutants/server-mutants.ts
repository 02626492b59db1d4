/** Rules of the control plane, each broken in its own text. */
import { NO_FAULTS } from '../settings/faults.js';
import type { Settings } from '../settings/settings.js';
import type { Mutant } from './mutant.js';

export const SERVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'an end is accepted for whoever holds the job now', profile: 'reclaim', budget: 200,
    patches: [{ file: 'server/end.ts', find: 'const { job, attempt } = term;', replace: 'const { job } = term;\n  const attempt = draft.newestOf(job.id) ?? term.attempt;' }],
  },
  {
    name: 'what was lost may return although others had the job', profile: 'reclaim', firstSeed: 320, budget: 500,
    patches: [{ file: 'server/reclaim.ts', find: ' && isFree && job.epoch === attempt.epoch', replace: ' && isFree' }],
  },
  {
    name: 'a hello gives back everything its worker held', profile: 'exclusive', budget: 50,
    patches: [
      { file: 'server/hello.ts', find: 'if (listed.has(attempt.id)) continue;', replace: '' },
      { file: 'server/hello.ts', find: ' || job.spec.disconnect.exclusive', replace: '' },
    ],
  },
  {
    name: 'a new start is believed about exclusive jobs that it does not know', profile: 'exclusive', budget: 2_000,
    patches: [{ file: 'server/hello.ts', find: ' || job.spec.disconnect.exclusive', replace: '' }],
  },
  {
    name: 'a late hello takes the worker over', profile: 'reclaim', budget: 200,
    patches: [{ file: 'server/hello.ts', find: "return isLate ? 'superseded' : {", replace: 'return {' }],
  },
  {
    name: 'the lease of an attempt is renewed although it is over', profile: 'exclusive', budget: 200,
    patches: [{ file: 'server/verdict.ts', find: 'if (isLeaseOver(attempt, draft.context.nowMs)) {', replace: 'if (isLeaseOver(attempt, 0)) {' }],
  },
  {
    name: 'a start is granted although its lease is over', profile: 'exclusive', budget: 500,
    patches: [{ file: 'server/start.ts', find: "if (isLeaseOver(attempt, draft.context.nowMs)) return no('expired');", replace: '' }],
  },
  {
    name: 'a start is granted to whoever asks', profile: 'exclusive', budget: 100,
    patches: [{ file: 'server/start.ts', find: "return no(attempt !== undefined && attempt.outcome === 'cancelled' ? 'cancelled' : 'superseded');", replace: "return { kind: 'go', leaseMs: 30_000 };" }],
  },
  {
    name: 'a superseded agent is heard as before', profile: 'reclaim', budget: 500,
    patches: [{ file: 'server/sender.ts', find: 'if (worker.session !== message.session)', replace: 'if (worker.session < message.session)' }],
  },
  {
    name: 'a claim ignores capacity', profile: 'reclaim', budget: 20,
    patches: [{ file: 'claim.ts', find: 'return Math.min(worker.slots, worker.slotsUsable);', replace: 'return 99;' }],
  },
  {
    name: 'a claim does not raise the epoch', profile: 'reclaim', budget: 20,
    patches: [{ file: 'claim.ts', find: 'const epoch = job.epoch + 1;', replace: 'const epoch = Math.max(1, job.epoch);' }],
  },
  {
    name: 'a process is claimed again under its old epoch', profile: 'reclaim', budget: 200,
    patches: [{ file: 'server/reclaim.ts', find: 'const epoch = job.epoch + 1;', replace: 'const { epoch } = job;' }],
  },
  {
    name: 'a second hello after a reclaim finds the old attempt', profile: 'reclaim', budget: 500,
    patches: [{ file: 'server/term.ts', find: 'attempt: goesOn ? newest : attempt', replace: 'attempt: goesOn ? attempt : attempt' }],
  },
  {
    name: 'log bytes are stored wherever they begin', profile: 'reclaim', budget: 20,
    patches: [{ file: 'log-order.ts', find: 'chunk.offset !== storedLength || ', replace: '' }],
  },
  {
    name: 'a resume is not told to the agent', profile: 'reclaim', budget: 100,
    patches: [{ file: 'server/wish.ts', find: "return state === 'paused' ? { kind: 'thaw', graceSeconds, reason: 'resumed' } : null;", replace: 'return null;' }],
  },
  {
    name: 'a paused job that loses its worker goes back in line', profile: 'reclaim', budget: 300,
    patches: [{ file: 'server/endings.ts', find: "const isHeld = job.desired === 'pause';", replace: 'const isHeld = false;' }],
  },
  {
    name: 'two copies of one agent both count as the newer one', profile: 'exclusive', firstSeed: 400, budget: 3_000, shape: withOneUsurpedWorker,
    patches: [{ file: 'instance.ts', find: 'COUNTED.test(current) && other < current;', replace: 'COUNTED.test(current) && other.slice(0, 10) < current.slice(0, 10);' }],
  },
  {
    name: 'a resume takes a cancel back', profile: 'reclaim', budget: 300,
    patches: [{ file: 'server/pause.ts', find: "if (isFinalJob(job.status) || job.desired === 'cancel') return illegal(draft, job, refusal(job));\n  const attempt", replace: 'if (isFinalJob(job.status)) return illegal(draft, job, refusal(job));\n  const attempt' }],
  },
];

/**
 * They change nothing, and are kept as defence in depth: the attempt has ended, which is checked as well, so a loss that the
 * agent itself reports need not burn the epoch.
 */
export const EQUIVALENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a loss that the agent reports leaves the epoch as it is', profile: 'reclaim', budget: 100,
    patches: [{ file: 'server/end.ts', find: 'retryOrFail(draft, { ...job, epoch: job.epoch + 1 }, attempt, cause', replace: 'retryOrFail(draft, job, attempt, cause' }],
  },
];

/** One worker and two agents that are it, on a bad network and without any other trouble. */
function withOneUsurpedWorker(settings: Settings): Settings {
  const network = { delayRate: 0.25, duplicateRate: 0.3, dropRate: 0.1, isReordered: true, partitionEveryMs: 15_000 };
  return { ...settings, machineCount: 1, jobCount: 5, faults: { ...NO_FAULTS, ...network, isUsurped: true } };
}
