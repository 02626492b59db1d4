/**
 * Agents that say anything at any time: wrong epochs, ends of what never began, states out of order, other workers' attempts.
 * Whatever they say, no command makes the reducer refuse its own move, and every row stays within the database's constraints.
 */
import { OUTCOMES } from '@muster/protocol';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import * as fc from 'fast-check';
import { applyDecision, decideClaim, isFinalJob, isLive, serverStep } from '../src/index.js';
import type { ServerCommand, Slice } from '../src/index.js';
import { NOW_MS, aContext, aJob, aProfile, aSlice, aSpec, aWorker } from './factories.js';

const JOBS = ['job_1', 'job_2', 'job_3'] as JobId[];
const WORKERS = ['wkr_1', 'wkr_2'] as WorkerId[];
const ATTEMPTS = Array.from({ length: 80 }, (_, n) => `att_${n}` as AttemptId);

const workerId = fc.constantFrom(...WORKERS);
const jobId = fc.constantFrom(...JOBS);
const session = fc.constantFrom(0, 1, 1, 1, 2);
const ref = { attemptId: fc.constantFrom(...ATTEMPTS.slice(0, 12)), epoch: fc.integer({ min: 0, max: 5 }) };
const report = fc.record({ ...ref, state: fc.constantFrom('accepted' as const, 'running' as const, 'paused' as const, 'exited' as const) });
const executions = fc.array(report, { maxLength: 4 });
const gpusHeld = fc.array(fc.nat(3), { maxLength: 3 });
const end = fc.record({
  ...ref,
  outcome: fc.constantFrom(...OUTCOMES),
  exit: fc.constantFrom(null, { code: 0, signal: null }, { code: 1, signal: null }, { code: null, signal: 'SIGKILL' }),
  detail: fc.constant(null),
  usage: fc.constant({ cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null }),
  containment: fc.constant('group' as const),
  leftovers: fc.constant(0),
  logs: fc.constant({}),
  ranMs: fc.constant(null),
});

const from = { workerId, session };
const command: fc.Arbitrary<ServerCommand> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('hello' as const), ...from, instanceId: fc.constantFrom('0000000001-a', '0000000002-b', 'odd'), slots: fc.integer({ min: 0, max: 3 }), executions, gpusHeld }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('beat' as const), ...from, executions, isPaused: fc.boolean(), slotsFree: fc.integer({ min: 0, max: 9 }), gpusHeld }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('start' as const), ...from, ...ref }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refuse' as const), ...from, ...ref, reason: fc.constantFrom('noSlot' as const, 'tooLate' as const, 'agentStopping' as const) }) },
  { weight: 3, arbitrary: fc.tuple(fc.record(from), end).map(([sender, body]) => ({ type: 'end' as const, ...sender, ...body })) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel' as const), jobId, force: fc.boolean(), actor: fc.constant('ada') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('pause' as const, 'resume' as const), jobId, actor: fc.constant('ada') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('requeue' as const, 'abandon' as const), jobId, actor: fc.constant('ada') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('sweepAttempt' as const), attemptId: ref.attemptId }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('sweepQueued' as const), jobId }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('workerLink' as const), workerId, socket: fc.constantFrom('closed' as const, 'silent' as const) }) },
);
const move = fc.record({
  afterMs: fc.constantFrom(0, 0, 0, 1_000, 1_000, 16_000, 90_000, 400_000),
  command: fc.option(command, { freq: 4 }),
  /** Which attempt it is about in truth; null: none, the command stays as wild as it is. */
  aim: fc.option(fc.nat({ max: 11 }), { freq: 6 }),
});

/** Makes a wild command one that a worker could rightly send about an attempt of its own; at a wrong time, most often. */
function aimed(slice: Slice, said: ServerCommand, aim: number | null): ServerCommand {
  const attempts = [...slice.attempts.values()].reverse();
  const attempt = aim === null ? undefined : attempts[Math.min(aim >> 1, attempts.length - 1)];
  if (attempt === undefined) return said;
  const sender = { workerId: attempt.workerId, session: slice.workers.get(attempt.workerId)?.session ?? 0 };
  const about = { attemptId: attempt.id, epoch: attempt.epoch };
  if ('executions' in said) {
    const [first, ...rest] = said.executions;
    return { ...said, ...sender, executions: first === undefined ? [] : [{ ...first, ...about }, ...rest] };
  }
  if (said.type === 'sweepAttempt') return { ...said, attemptId: attempt.id };
  if ('jobId' in said) return { ...said, jobId: attempt.jobId };
  return 'attemptId' in said ? { ...said, ...sender, ...about } : said;
}

function begin(): Slice {
  const specs = [aSpec(), aSpec({ disconnect: { onWorkerLost: 'wait' } }), aSpec({ disconnect: { exclusive: true }, retry: { onFailure: 2 }, limits: { queueSeconds: 100 } })];
  return aSlice({ jobs: JOBS.map((id, n) => aJob({ id, spec: specs[n] ?? aSpec() })), workers: WORKERS.map((id) => aWorker({ id, name: id })) });
}

/** The constraints of the tables, in the words of the migration. */
function complaints(before: Slice, after: Slice): string[] {
  const found: string[] = [];
  const attempts = [...after.attempts.values()];
  for (const job of after.jobs.values()) {
    const own = attempts.filter((attempt) => attempt.jobId === job.id);
    const isHeld = job.status === 'assigned' || job.status === 'running';
    if (own.filter(isLive).length > 1) found.push(`${job.id} has two live attempts`);
    if (own.filter((attempt) => attempt.outcome === 'succeeded').length > 1) found.push(`${job.id} completed twice`);
    if (new Set(own.map((attempt) => attempt.epoch)).size < own.length) found.push(`${job.id} granted an epoch twice`);
    if (isHeld !== (job.currentAttemptId !== null) && job.status !== 'paused') found.push(`${job.id} is ${job.status} with ${job.currentAttemptId}`);
    if (own.some(isLive) !== (job.currentAttemptId !== null)) found.push(`${job.id} and its attempts disagree`);
    if (job.status === 'queued' && job.desired !== 'run') found.push(`${job.id} stands in line against people's wish`);
    if (isFinalJob(job.status) !== (job.finishedMs !== null)) found.push(`${job.id} is final without a time`);
    const earlier = before.jobs.get(job.id);
    if (earlier !== undefined && isFinalJob(earlier.status) && earlier !== job) found.push(`${job.id} changed after its end`);
    if (earlier !== undefined && job.epoch < earlier.epoch) found.push(`${job.id} went back in epoch`);
  }
  for (const attempt of attempts) {
    const isEnded = attempt.state === 'ended';
    if (isEnded !== (attempt.outcome !== null) || isEnded !== (attempt.endedMs !== null)) found.push(`${attempt.id} ended by half`);
    if (isEnded && attempt.leaseUntilMs !== null) found.push(`${attempt.id} ended with a lease`);
  }
  return found;
}

describe('agents that say anything', () => {
  test('never bring a row out of its constraints', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(move, { minLength: 10, maxLength: 80, size: 'max' }), (moves) => {
        let slice = begin();
        let nowMs = NOW_MS;
        for (const { afterMs, command: said, aim } of moves) {
          nowMs += afterMs;
          const context = aContext({ nowMs, newAttemptIds: ATTEMPTS.filter((id) => !slice.attempts.has(id)) });
          const profiles = new Map(WORKERS.map((id) => [id, aProfile({ name: id })]));
          const decision =
            said === null ? decideClaim(slice, { candidates: JOBS, profiles, activeByOwner: new Map() }, context) : serverStep(slice, aimed(slice, said, aim), context);
          const after = applyDecision(slice, decision);
          for (const event of decision.events) seen.add(event.type);
          expect(complaints(slice, after)).toEqual([]);
          slice = after;
        }
      }),
      { numRuns: 1_000 },
    );
    // Wild as they are, they get everywhere: else the runs above would prove little.
    for (const type of ['job.completed', 'job.failed', 'job.cancelled', 'job.requeued', 'job.reclaimed', 'job.refused', 'job.waiting', 'job.paused', 'job.resumed']) expect(seen).toContain(type);
  }, 120_000);
});
