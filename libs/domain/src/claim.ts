/** Which job goes to which worker now. */
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import { isLive } from './attempt-lifecycle.js';
import type { AttemptFacts, JobFacts, WorkerFacts } from './facts.js';
import { fit, matches, requirementsOf, roomOf } from './matching.js';
import type { WorkerProfile } from './matching.js';
import type { ServerContext } from './server/commands.js';
import type { Done, ServerDecision } from './server/decision.js';
import { Draft } from './server/draft.js';
import { offerTermMs } from './server/lease.js';
import type { Slice } from './slice.js';

export interface ClaimInput {
  /** Heads of lanes, locked: jobs that are queued and due; their order does not matter. Several of one lane may stand here. */
  readonly candidates: readonly JobId[];
  /** The workers whose rows are locked and whose live attempts, with their jobs, are in the slice. */
  readonly profiles: ReadonlyMap<WorkerId, WorkerProfile>;
  /** Live attempts of each owner in the whole fleet: the fewest go first among equals in priority. */
  readonly activeByOwner: ReadonlyMap<string, number>;
  /** How many jobs those take that ask for each, over REST. Whoever does not stand here is offered what it has room for. */
  readonly asked?: ReadonlyMap<WorkerId, number>;
}

/**
 * Matches candidates to free capacity: priority first, then the owner with the fewest active, then age; each goes to the
 * least loaded worker that fits. Makes attempts in state `offered`, raises epochs, assigns GPUs. Checks capacity from the
 * locked rows, so that it holds whatever happened since the candidates were read.
 */
export function decideClaim(slice: Slice, input: ClaimInput, context: ServerContext): ServerDecision<Done> {
  const draft = new Draft(slice, context);
  const waiting = new Set(input.candidates.map((id) => slice.jobs.get(id)).filter((job) => job !== undefined && isDue(job, context.nowMs)));
  const active = new Map(input.activeByOwner);
  const workers = [...input.profiles].flatMap(([id, profile]) => openWorker(slice, id, profile, input.asked?.get(id)));
  for (let job = takeNext(waiting, active); job !== undefined; job = takeNext(waiting, active)) {
    const placed = place(job, workers);
    if (placed === undefined) continue;
    const attemptId = draft.nextAttemptId();
    if (attemptId === undefined) break;
    offer(draft, job, placed, attemptId);
    active.set(job.owner, (active.get(job.owner) ?? 0) + 1);
  }
  return draft.decide({ kind: 'done' });
}

/** True while a job may be claimed; a candidate may have been taken or cancelled since it was read. */
export function isDue(job: JobFacts, nowMs: number): boolean {
  return job.status === 'queued' && job.desired === 'run' && (job.notBeforeMs === null || job.notBeforeMs <= nowMs);
}

/** A worker that takes offers, with the attempts it holds and those placed on it in this claim. */
interface OpenWorker {
  readonly worker: WorkerFacts;
  readonly profile: WorkerProfile;
  /** How many attempts it may hold after this claim. */
  readonly slots: number;
  readonly held: { readonly needs: JobFacts['spec']['needs']; readonly gpus: readonly number[] }[];
}

interface Placement {
  readonly worker: WorkerFacts;
  readonly gpus: readonly number[];
}

/** True when the worker takes offers at all, capacity aside: what the column `takes_offers` says of its row. */
export function takesOffers(worker: Pick<WorkerFacts, 'isRemoved' | 'isFenced' | 'isPaused' | 'link' | 'maintenance'>): boolean {
  return !worker.isRemoved && !worker.isFenced && !worker.isPaused && worker.link === 'connected' && worker.maintenance === null;
}

/** Slots the server may fill: never more than the agent says it can use. */
export function slotsToFill(worker: Pick<WorkerFacts, 'slots' | 'slotsUsable'>): number {
  return Math.min(worker.slots, worker.slotsUsable);
}

function openWorker(slice: Slice, id: WorkerId, profile: WorkerProfile, asked: number = Infinity): OpenWorker[] {
  const worker = slice.workers.get(id);
  if (worker === undefined || !takesOffers(worker)) return [];
  const live = [...slice.attempts.values()].filter((attempt) => attempt.workerId === id && isLive(attempt));
  const held = live.map((attempt) => ({ needs: slice.jobs.get(attempt.jobId)?.spec.needs ?? {}, gpus: attempt.gpus }));
  return [{ worker, profile, slots: Math.min(slotsToFill(worker), held.length + asked), held }];
}

function takeNext(waiting: Set<JobFacts | undefined>, active: ReadonlyMap<string, number>): JobFacts | undefined {
  let next: JobFacts | undefined;
  for (const job of waiting) {
    if (job !== undefined && (next === undefined || goesBefore(job, next, active))) next = job;
  }
  waiting.delete(next);
  return next;
}

/** The order of dispatch: priority, then the owner with the fewest active, then age. Ids sort by age. */
export function goesBefore(left: JobFacts, right: JobFacts, active: ReadonlyMap<string, number>): boolean {
  if (left.priority !== right.priority) return left.priority > right.priority;
  const load = (active.get(left.owner) ?? 0) - (active.get(right.owner) ?? 0);
  if (load !== 0) return load < 0;
  return left.id < right.id;
}

function place(job: JobFacts, workers: readonly OpenWorker[]): Placement | undefined {
  const requirements = requirementsOf(job.spec);
  let best: { readonly open: OpenWorker; readonly gpus: readonly number[]; readonly load: number } | undefined;
  for (const open of workers) {
    if (open.held.length >= open.slots) continue;
    const load = open.held.length / slotsToFill(open.worker);
    if (best !== undefined && load >= best.load) continue;
    const gpus = fit(requirements.needs, open.profile, roomOf(open.profile, open.slots, open.held, open.worker.gpusHeld));
    if (gpus !== null && matches(requirements, open.profile).ok) best = { open, gpus, load };
  }
  if (best === undefined) return undefined;
  best.open.held.push({ needs: requirements.needs, gpus: best.gpus });
  return { worker: best.open.worker, gpus: best.gpus };
}

function offer(draft: Draft, job: JobFacts, { worker, gpus }: Placement, id: AttemptId): void {
  const { nowMs } = draft.context;
  const epoch = job.epoch + 1;
  const attempt: AttemptFacts = {
    id,
    jobId: job.id,
    workerId: worker.id,
    number: job.attemptCount + 1,
    epoch,
    state: 'offered',
    outcome: null,
    exit: null,
    detail: null,
    gpus,
    leaseUntilMs: nowMs + offerTermMs(job, draft.context),
    offeredMs: nowMs,
    startedMs: null,
    endedMs: null,
    containment: null,
    usage: null,
    leftovers: 0,
    logId: id,
    proofs: {},
    grantedSession: null,
  };
  draft.putAttempt(attempt);
  draft.putJob({
    ...job,
    status: 'assigned',
    reason: 'offered',
    reasonDetail: `worker ${worker.name}`,
    epoch,
    attemptCount: attempt.number,
    currentAttemptId: id,
    notBeforeMs: null,
  });
  draft.jobEvent('job.offered', job.id, { attemptId: id, workerId: worker.id, data: { number: attempt.number, epoch } });
  draft.notify({ kind: 'offer', workerId: worker.id, session: worker.session, attemptId: id });
}
