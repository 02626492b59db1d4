/** Rules of the control plane, each broken in its own text. */
import type { Mutant } from './mutant.js';
import { withManyOrders, withOneCopiedDisk, withOneUsurpedWorker, withPrograms, withUnkillableGpuJobs } from './shapes.js';

export const SERVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'an end is accepted for whoever holds the job now', profile: 'reclaim', budget: 200,
    patches: [{ file: 'server/end.ts', find: 'const { job, attempt } = term;', replace: 'const { job } = term;\n  const attempt = draft.newestOf(job.id) ?? term.attempt;' }],
  },
  {
    name: 'what was lost may return although others had the job', profile: 'reclaim', firstSeed: 680, budget: 500,
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
    name: 'a late hello takes the worker over', profile: 'reclaim', firstSeed: 140, budget: 700,
    patches: [{ file: 'server/hello.ts', find: "return isLate ? 'superseded' : {", replace: 'return {' }],
  },
  {
    name: 'the lease of an attempt is renewed although it is over', profile: 'exclusive', firstSeed: 215, budget: 700,
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
    name: 'two copies of one agent both count as the newer one', profile: 'exclusive', firstSeed: 490, budget: 3_000, shape: withOneUsurpedWorker,
    patches: [{ file: 'instance.ts', find: 'COUNTED.test(current) && other < current;', replace: 'COUNTED.test(current) && other.slice(0, 10) < current.slice(0, 10);' }],
  },
  {
    name: 'a resume takes a cancel back', profile: 'reclaim', firstSeed: 50, budget: 500,
    patches: [{ file: 'server/pause.ts', find: "if (isFinalJob(job.status) || job.desired === 'cancel') return illegal(draft, job, refusal(job));\n  const attempt", replace: 'if (isFinalJob(job.status)) return illegal(draft, job, refusal(job));\n  const attempt' }],
  },
  {
    name: 'a worker that takes offers again is not believed', profile: 'reclaim', budget: 300,
    patches: [{ file: 'server/beat.ts', find: '    isPaused: command.isPaused,\n', replace: '    isPaused: sender.worker.isPaused,\n' }],
  },
  {
    name: 'what a new start does not name is said to run', profile: 'exclusive', budget: 300,
    patches: [{ file: 'server/doubt.ts', find: 'if (!isDoubted(job) && !(isNewStart && isProgress(job.reason))) continue;', replace: 'if (!isDoubted(job)) continue;' }],
  },
  {
    name: 'the oldest attempt of a job counts as its newest', profile: 'reclaim', budget: 300,
    patches: [{ file: 'server/draft.ts', find: 'if (attempt.number > (newest.get(attempt.jobId)?.number ?? -1))', replace: 'if (!newest.has(attempt.jobId))' }],
  },
  {
    name: 'an offer that nobody answered is lost like a process', profile: 'exclusive', budget: 100,
    patches: [{ file: 'server/expiry.ts', find: "if (attempt.state === 'offered') {", replace: 'if (attempt.number === 0) {' }],
  },
  {
    name: 'a process whose lease is over is given back like an offer', profile: 'reclaim', budget: 200,
    patches: [{ file: 'server/expiry.ts', find: "if (attempt.state === 'offered') {", replace: 'if (attempt.number > 0) {' }],
  },
  {
    name: 'a GPU that the agent says is held is offered', profile: 'exclusive', budget: 100, shape: withUnkillableGpuJobs,
    patches: [{ file: 'claim.ts', find: 'open.held, open.worker.gpusHeld)', replace: 'open.held, [])' }],
  },
  {
    name: 'slots that the agent holds back are offered', profile: 'reclaim', firstSeed: 60, budget: 700, shape: withUnkillableGpuJobs,
    patches: [{ file: 'server/held.ts', find: 'return Math.max(0, Math.min(worker.slots, told.slotsFree + counted.length));', replace: 'return worker.slots;' }],
  },
  {
    name: 'a lease ends before the right of its holder does', profile: 'exclusive', budget: 20,
    patches: [{ file: 'server/lease.ts', find: 'return lengthMs === null ? null : nowMs + lengthMs;', replace: 'return lengthMs === null ? null : nowMs + lengthMs * 0.6;' }],
  },
  {
    name: 'an offer that people took back keeps its lease', profile: 'reclaim', budget: 50,
    patches: [{ file: 'server/orders.ts', find: '  endAttempt(draft, attempt, ending);\n', replace: '' }],
  },
  {
    name: 'people may take a job from a worker that answers', profile: 'exclusive', budget: 50,
    patches: [{ file: 'server/people.ts', find: 'if (attempt === undefined || !allowedActions(job, link).includes(action))', replace: 'if (attempt === undefined)' }],
  },
  {
    name: 'a queue limit ends what was taken out of the queue meanwhile', profile: 'reclaim', firstSeed: 90, budget: 500,
    patches: [{ file: 'server/sweep.ts', find: "job.queueUntilMs === null || job.status !== 'queued' || job", replace: 'job.queueUntilMs === null || job' }],
  },
  {
    name: 'a worker is suspect for ever', profile: 'reclaim', budget: 300,
    patches: [{ file: 'worker-lifecycle.ts', find: "return 'unreachable';", replace: "return 'suspect';" }],
  },
  {
    name: 'an end is looked up without the attempt that went on with its process', profile: 'reclaim', budget: 300,
    patches: [{ file: 'slice.ts', find: ', newestOfAttempts: [command.attemptId] };', replace: ' };' }],
  },
  {
    name: 'a GPU is given to two attempts', profile: 'exclusive', budget: 50,
    patches: [{ file: 'matching.ts', find: 'new Set([...gpusHeld, ...held.flatMap((one) => one.gpus)])', replace: 'new Set(gpusHeld)' }],
  },
  {
    name: 'a job that was running when its workers were lost is never suspected', profile: 'reclaim', firstSeed: 225, budget: 700,
    patches: [{ file: 'retry.ts', find: "if (tries.lossesWhileRunning >= POISON_LOSSES) return fail('poisonJob');", replace: '' }],
  },
  {
    name: 'an offer is made again to a new start of its worker', profile: 'exclusive', firstSeed: 850, budget: 2_000, shape: withOneUsurpedWorker,
    patches: [{ file: 'server/hello.ts', find: "if (attempt.state === 'offered' && !isNewStart) offerAgain", replace: "if (attempt.state === 'offered') offerAgain" }],
  },
  {
    name: 'a drain is over while something is left', profile: 'exclusive', budget: 300, shape: withManyOrders,
    patches: [{ file: 'server/drains.ts', find: 'if (live.length === 0) {', replace: 'if (live.length <= 1) {' }],
  },
  {
    name: 'a drained worker takes on a process that came back', profile: 'reclaim', budget: 2_000, shape: withManyOrders,
    patches: [{ file: 'server/maintenance.ts', find: 'return !isDrained && !mustLeave(worker, job);', replace: 'return !mustLeave(worker, job) || isDrained;' }],
  },
  {
    name: 'a drain leaves offers where they are', profile: 'exclusive', budget: 500, shape: withManyOrders,
    patches: [{ file: 'server/worker-orders.ts', find: '  takeBackOffers(draft, ends);\n', replace: '' }],
  },
  {
    name: 'a cordoned worker is offered jobs', profile: 'exclusive', budget: 100, shape: withManyOrders,
    patches: [{ file: 'claim.ts', find: " && worker.link === 'connected' && worker.maintenance === null;", replace: " && worker.link === 'connected';" }],
  },
  {
    name: 'an exclusive job is taken from a removed worker at once', profile: 'exclusive', budget: 500, shape: withManyOrders,
    patches: [{ file: 'server/removal.ts', find: 'if (job.spec.disconnect.exclusive) {', replace: 'if (job.epoch < 0) {' }],
  },
  {
    name: 'a program over REST is granted more than it asks for', profile: 'exclusive', budget: 100, shape: withPrograms,
    patches: [{ file: 'claim.ts', find: 'held.length + asked)', replace: 'held.length + 99)' }],
  },
  {
    name: 'a superseded program over REST is heard as before', profile: 'exclusive', budget: 500, shape: withPrograms,
    patches: [{ file: 'server/sender.ts', find: 'if (worker.session !== message.session)', replace: 'if (worker.session < message.session)' }],
  },
  {
    name: 'a program over REST keeps its lease although it is over', profile: 'exclusive', budget: 500, shape: withPrograms,
    patches: [{ file: 'server/verdict.ts', find: 'if (isLeaseOver(attempt, draft.context.nowMs)) {', replace: 'if (isLeaseOver(attempt, 0)) {' }],
  },
  {
    name: 'whoever has the disk knows what runs', profile: 'exclusive', budget: 300, shape: withOneCopiedDisk,
    patches: [{ file: 'server/witness.ts', find: 'attempt.grantedSession === null || attempt.grantedSession === session;', replace: 'true;' }],
  },
  {
    name: 'a copy of an agent is granted what the original started', profile: 'exclusive', budget: 1_000, shape: withOneCopiedDisk,
    patches: [{ file: 'server/start.ts', find: "if (!isWitness(job, attempt, command.session)) return no('superseded');", replace: '' }],
  },
  {
    name: 'a copy of an agent may say that what the original started never began', profile: 'exclusive', budget: 1_000, shape: withOneCopiedDisk,
    patches: [{ file: 'server/witness.ts', find: "end.outcome === 'refused' || end", replace: 'end' }],
  },
  {
    name: 'a copy of an agent may say that what the original started is lost', profile: 'exclusive', budget: 1_000, shape: withOneCopiedDisk,
    patches: [{ file: 'server/witness.ts', find: "end.outcome === 'lost' || ", replace: '' }],
  },
  {
    name: 'a copy of an agent may give back what the original started', profile: 'exclusive', budget: 1_000, shape: withOneCopiedDisk,
    patches: [{ file: 'server/start.ts', find: "(attempt.state === 'running' && isWitness(job, attempt, session));", replace: "attempt.state === 'running';" }],
  },
  {
    name: 'a copy of an agent renews what the original runs', profile: 'exclusive', budget: 300, shape: withOneCopiedDisk,
    patches: [{ file: 'server/verdict.ts', find: "if (!isWitness(job, attempt, worker.session) && (report", replace: 'if (worker.session < 0 && (report' }],
  },
  {
    name: 'an agent that adopted a process is never believed that it is gone', profile: 'exclusive', firstSeed: 205, budget: 2_000,
    patches: [{ file: 'server/verdict.ts', find: "report.state === 'running' || report.state === 'paused' ? worker.session : attempt.grantedSession;", replace: 'attempt.grantedSession;' }],
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
