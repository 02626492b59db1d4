/** The jobs people submit: what they need, how they are retried, and what their processes do. */
import { toJobSpec } from '@muster/domain';
import type { JobFacts } from '@muster/domain';
import type { JobId, JobLimits, JobNeeds, OnWorkerLost, RetryPolicy } from '@muster/protocol';
import { Violation } from '../invariants/violation.js';
import { EXCLUSIVE_LOST_AFTER_SECONDS } from '../settings/settings.js';
import { ENDLESS_MS } from '../world/process.js';
import type { JobPlan } from '../world/process.js';
import type { Random } from '../world/random.js';
import type { World } from '../world/world.js';

export function jobIdOf(index: number): JobId {
  return `job_${String(index).padStart(4, '0')}` as JobId;
}

/** Submits one job now. */
export function submit(world: World, random: Random, index: number): void {
  const id = jobIdOf(index);
  const limits = limitsOf(random);
  const result = toJobSpec(
    { run: { command: ['work'] }, needs: needsOf(world, random), limits, priority: random.whole(-1, 1), ...policiesOf(world, random) },
    world.settings.workerTimeoutMs,
  );
  if (!result.ok) throw new Violation('valid job', JSON.stringify(result.errors));
  world.plan(id, planOf(world, random, limits));
  const { nowMs } = world.database;
  const job: JobFacts = {
    id, owner: random.pick(['ada', 'bob']), spec: result.spec, status: 'queued', desired: 'run', force: false, reason: 'waiting', reasonDetail: null,
    priority: result.spec.priority, epoch: 0, attemptCount: 0, currentAttemptId: null, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0,
    notBeforeMs: null, queueUntilMs: limits.queueSeconds === undefined ? null : nowMs + limits.queueSeconds * 1_000, createdMs: nowMs,
    startedMs: null, finishedMs: null, exit: null,
  };
  world.database.insertJob(job);
}

/** In `exclusive` the shortest lease with graces up to the longest that it allows; in `reclaim` mostly nothing said at all. */
function policiesOf(world: World, random: Random): Pick<Parameters<typeof toJobSpec>[0], 'graceSeconds' | 'retry' | 'disconnect'> {
  const retry: Partial<RetryPolicy> = { onFailure: random.whole(0, 2), backoffSeconds: random.pick([0, 1, 20]), onWorkerLost: random.whole(0, 4) };
  const onWorkerLost: OnWorkerLost = random.chance(0.1) ? 'fail' : 'requeue';
  if (world.settings.profile === 'exclusive') {
    return { retry, graceSeconds: random.whole(0, 7), disconnect: { exclusive: true, onWorkerLost, lostAfterSeconds: EXCLUSIVE_LOST_AFTER_SECONDS } };
  }
  const kind = random.next();
  if (world.settings.isBrisk) {
    const brisk = { onWorkerLost: kind < 0.15 ? ('wait' as const) : onWorkerLost, lostAfterSeconds: random.pick([2, 2, 4, 10, 60]) };
    return { retry, graceSeconds: random.whole(0, 1), disconnect: brisk };
  }
  if (kind < 0.5) return {};
  if (kind < 0.6) return { retry, disconnect: { exclusive: true } };
  if (kind < 0.7) return { retry, disconnect: { onWorkerLost: 'wait' } };
  if (kind < 0.75) return { retry: { never: true } };
  return { retry, graceSeconds: random.whole(0, 1), disconnect: { onWorkerLost, lostAfterSeconds: random.pick([0, 5, 30, 120]) } };
}

/** Some jobs fit one worker only, so that nobody else takes them while it is away. */
function needsOf(world: World, random: Random): JobNeeds {
  if (random.chance(world.settings.gpuShare)) return { gpus: random.whole(1, 2) };
  const isHomely = random.chance(world.settings.profile === 'reclaim' ? 0.4 : 0.1);
  const home = random.pick(world.machines).workerId;
  return isHomely ? { labels: { home } } : {};
}

function limitsOf(random: Random): JobLimits {
  const [hasQueueLimit, queueSeconds] = [random.chance(0.1), random.pick([1, 10, 60])];
  return hasQueueLimit ? { queueSeconds } : {};
}

function planOf(world: World, random: Random, limits: JobLimits): JobPlan {
  const { profile, isBrisk, runMsMax } = world.settings;
  const [kind, shortMs, longMs] = [random.next(), random.between(10, 1_000), random.between(1_000, runMsMax)];
  const runMs = kind < 0.08 ? ENDLESS_MS : kind < 0.35 ? shortMs : longMs;
  const hasLimit = random.chance(0.3) && limits.queueSeconds === undefined;
  return {
    runMs,
    exitCode: random.chance(0.2) ? 1 : 0,
    bytesPerSecond: random.chance(0.3) ? 0 : random.between(10, profile === 'reclaim' && !isBrisk ? 300 : 5_000),
    ignoresStop: random.chance(0.2),
    failsToSpawn: random.chance(0.05),
    limitMs: hasLimit ? runMs + 1_000 : null,
  };
}
