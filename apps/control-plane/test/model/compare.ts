/** Holds what the API says against what the model believes. */
import type { AttemptView, JobReason, JobView, WorkerView } from '@muster/protocol';
import type { Model } from './model.js';
import { isLive, SECONDS, type Attempt, type Job, type Worker } from './state.js';
import type { World } from './world.js';

/** Real moments in which a run is carried out. */
const SLACK_SECONDS = 40;

/** Every job and worker, and the attempts of all jobs or of those that changed. Reads and sets the backoffs that are new. */
export async function compare(model: Model, world: World, depth: 'changes' | 'everything'): Promise<void> {
  const [jobs, workers] = await Promise.all([world.jobs(), world.workers()]);
  const shown = new Map(jobs.map((job) => [job.id, job]));
  for (const job of model.jobs) if (job.backoffUntil === 'untold') await readBackoff(job, shown.get(job.id), model, world);
  expect(jobs.map((view) => toJobFacts(view))).toEqual(model.jobs.map((job) => expectedJob(job, model)));
  expect(workers.map(toWorkerFacts).sort(byName)).toEqual(model.workers.filter(({ id }) => id !== null).map((worker) => expectedWorker(worker, model)));
  await Promise.all(model.jobs.map((job) => compareAttempts(job, world, depth)));
  if (depth === 'everything') await compareLogs(model, world);
}

/** What was last found to be so. */
const told = new WeakMap<Job, string>();
const byName = (left: { name: string }, right: { name: string }): number => left.name.localeCompare(right.name);

async function compareAttempts(job: Job, world: World, depth: 'changes' | 'everything'): Promise<void> {
  const facts = JSON.stringify(job.attempts.map(expectedAttempt));
  if (depth === 'changes' && (told.get(job) === facts || job.attempts.length === 0)) return;
  told.set(job, facts);
  expect((await world.attempts(job.id)).map(toAttemptFacts)).toEqual(job.attempts.map(expectedAttempt));
}

async function compareLogs(model: Model, world: World): Promise<void> {
  for (const attempt of model.attempts) {
    if (attempt.log.text !== '') expect(await world.log(attempt.job.id, attempt.id)).toBe(attempt.log.text);
  }
}

/** Drawn by chance between half of it and all; from here on it is all of it, in the model and in the database. */
async function readBackoff(job: Job, view: JobView | undefined, model: Model, world: World): Promise<void> {
  const seconds = (Date.parse(view?.notBeforeAt ?? '') - Date.now()) / 1_000;
  expect(seconds).toBeGreaterThan(SECONDS.backoff / 2 - SLACK_SECONDS);
  expect(seconds).toBeLessThanOrEqual(SECONDS.backoff + 1);
  await world.backOffFor(job.id, SECONDS.backoff);
  job.backoffUntil = model.now + SECONDS.backoff;
}

function toJobFacts(view: JobView): object {
  const { id, status, desired, reason, attemptCount, currentAttemptId, exitCode, allowedActions, workerLink } = view;
  return { id, status, desired, reason: toClass(view, reason), attemptCount, currentAttemptId, exitCode, allowedActions: [...allowedActions].sort(), workerLink };
}

/** Why a queued job waits depends on when the fleet was last looked at; how far a running one is, on the last beat. */
function toClass(view: Pick<JobView, 'status'>, reason: JobReason): string {
  if (view.status === 'queued') return reason === 'backoff' ? 'backoff' : 'in line';
  return reason === 'starting' || reason === 'running' ? 'under way' : reason;
}

function expectedJob(job: Job, model: Model): object {
  return {
    id: job.id, status: job.status, desired: job.desired, reason: reasonOf(job, model), attemptCount: job.attempts.length,
    currentAttemptId: job.current?.id ?? null, exitCode: job.exitCode, allowedActions: model.allowedActions(job),
    workerLink: job.current?.worker.link ?? null,
  };
}

function reasonOf(job: Job, model: Model): string {
  if (job.reason !== null) return job.reason;
  if (job.status === 'queued') return job.backoffUntil !== null && job.backoffUntil !== 'untold' && job.backoffUntil > model.now ? 'backoff' : 'in line';
  if (job.status === 'assigned') return 'offered';
  const link = job.current?.worker.link;
  if (link === 'suspect') return 'workerSuspect';
  if (link === 'unreachable') return 'workerUnreachable';
  if (!job.current) return 'held';
  if (job.current.isDoubted) return 'workerSuspect';
  if (job.current.state === 'paused') return job.desired === 'pause' ? 'frozen' : 'resuming';
  if (job.current.state === 'finalizing') return job.status === 'paused' ? 'frozen' : 'under way';
  return job.desired === 'pause' ? 'pausing' : 'under way';
}

function toAttemptFacts(view: AttemptView): object {
  const { id, number, epoch, workerName, state, outcome, exit, leaseUntil, logs } = view;
  return { id, number, epoch, workerName, state, outcome, exitCode: exit?.code ?? null, hasLease: leaseUntil !== null, logLength: logs.output?.storedLength ?? 0 };
}

function expectedAttempt(attempt: Attempt): object {
  const { id, number, epoch, worker, state, outcome, exitCode, leaseUntil, log } = attempt;
  return { id, number, epoch, workerName: `worker-${worker.index}`, state, outcome, exitCode, hasLease: leaseUntil !== null, logLength: log.text.length };
}

function toWorkerFacts(view: WorkerView): { readonly name: string } & Readonly<Record<string, unknown>> {
  const { id, name, link, slots, slotsUsed, counters, maintenance, drain } = view;
  return { id, name, link, slots, slotsUsed, completed: counters.completed, isOrdered: maintenance !== null, isDrained: drain?.state === 'drained' };
}

function expectedWorker(worker: Worker, model: Model): object {
  const { id, link, slots, order } = worker;
  const own = model.attempts.filter((attempt) => attempt.worker === worker);
  const completed = own.filter(({ outcome }) => outcome === 'succeeded').length;
  return { id, name: `worker-${worker.index}`, link, slots, slotsUsed: own.filter(isLive).length, completed, isOrdered: order !== null, isDrained: order?.kind === 'drain' && order.isDrained };
}
