/** Why a queued job does not run. Asks what dispatch asks, in the same order, and puts the answers into words. */
import type { JobReason, WorkerId, WorkerStatus } from '@muster/protocol';
import { slotsToFill, takesOffers } from './claim.js';
import type { JobFacts, WorkerFacts } from './facts.js';
import { fit, matches, requirementsOf, roomOf } from './matching.js';
import type { WorkerProfile } from './matching.js';
import { orderWords } from './server/maintenance.js';

export interface ExplainedWorker {
  readonly worker: WorkerFacts;
  readonly profile: WorkerProfile;
  /** Needs and GPUs of its live attempts. */
  readonly held: readonly { readonly needs: JobFacts['spec']['needs']; readonly gpus: readonly number[] }[];
  /** It holds no socket: it is granted a job only when it asks for one. */
  readonly hasToAsk?: boolean;
  /** What a worker of another make says of itself; null or absent: nothing, as our own do. */
  readonly reportedStatus?: WorkerStatus | null;
}

export interface WorkerExplanation {
  readonly workerId: WorkerId;
  readonly workerName: string;
  /**
   * `offline`: no connection. `closed`: takes no offers now. `full`: fits, but has no room. `withheld`: would have room, were
   * not GPUs held there by processes that are not proven gone. `free`: would take it.
   */
  readonly kind: 'offline' | 'closed' | 'mismatch' | 'full' | 'withheld' | 'free';
  readonly detail: string;
}

export interface Explanation {
  readonly reason: Extract<JobReason, 'waiting' | 'noWorkerOnline' | 'noMatchingWorker' | 'slotsFull' | 'higherPriorityFirst' | 'backoff'>;
  /** One sentence about this job. */
  readonly detail: string;
  readonly workers: readonly WorkerExplanation[];
}

/** Where it is known without a look at any worker that one is free for the job. */
export const OFFERED: Explanation = { reason: 'waiting', detail: 'A worker is free and will be offered the job.', workers: [] };

/** Jobs ahead are counted up to this: beyond it the number says nothing new. */
export const AHEAD_MAX = 100;

/**
 * @param job queued
 * @param aheadCount queued and due jobs of higher priority or age, at most `AHEAD_MAX`. They need not want the same workers.
 */
export function explain(job: JobFacts, workers: readonly ExplainedWorker[], aheadCount: number, nowMs: number): Explanation {
  const each = workers.map((one) => explainWorker(job, one));
  const count = (kind: WorkerExplanation['kind']): number => each.filter((one) => one.kind === kind).length;
  const say = (reason: Explanation['reason'], detail: string): Explanation => ({ reason, detail, workers: each });

  if (job.notBeforeMs !== null && job.notBeforeMs > nowMs) {
    const why = job.reasonDetail === null ? '' : ` after: ${job.reasonDetail}`;
    return say('backoff', `The next attempt may begin in ${Math.ceil((job.notBeforeMs - nowMs) / 1_000)} s${why}.`);
  }
  if (each.every((one) => one.kind === 'offline')) {
    return say('noWorkerOnline', workers.length === 0 ? 'No worker ever connected.' : `None of ${workers.length} known workers is connected.`);
  }
  if (count('free') > 0) {
    if (aheadCount > 0) return say('higherPriorityFirst', aheadDetail(aheadCount));
    const isOffered = workers.some(({ hasToAsk = false }, index) => !hasToAsk && each[index]?.kind === 'free');
    return isOffered ? { ...OFFERED, workers: each } : say('waiting', 'A worker is free, and is given the job when it asks for one.');
  }
  const isFull = count('full') + count('withheld') + count('closed') > 0;
  if (isFull) return say('slotsFull', fullDetail(count('full'), count('withheld'), each.filter((one) => one.kind === 'closed')));
  const first = each.find((one) => one.kind === 'mismatch');
  return say('noMatchingWorker', first === undefined ? 'No worker fits.' : `None of ${count('mismatch')} connected workers fits; ${first.workerName}: ${first.detail}.`);
}

function explainWorker(job: JobFacts, { worker, profile, held, hasToAsk = false, reportedStatus = null }: ExplainedWorker): WorkerExplanation {
  const said = (kind: WorkerExplanation['kind'], detail: string): WorkerExplanation => ({ workerId: worker.id, workerName: worker.name, kind, detail });
  if (worker.isRemoved || worker.link !== 'connected') return said('offline', `is ${worker.isRemoved ? 'removed' : worker.link}`);
  const requirements = requirementsOf(job.spec);
  const match = matches(requirements, profile);
  if (!match.ok) return said('mismatch', match.reasons.map((reason) => reason.detail).join('; '));
  if (!takesOffers(worker)) return said('closed', `fits, but ${closedWords(worker)}`);
  if (!takesJobsAs(reportedStatus)) return said('closed', `fits, but is given none while its own program says ${reportedStatus}`);
  const slots = slotsToFill(worker);
  const fits = (gpusHeld: readonly number[]): boolean => fit(requirements.needs, profile, roomOf(profile, slots, held, gpusHeld)) !== null;
  if (fits(worker.gpusHeld)) return said('free', hasToAsk ? 'is free, and is given a job when it asks for one' : 'is free');
  if (held.length >= worker.slots) return said('full', `fits, but ${held.length} of ${worker.slots} slots are used`);
  const usage = `${held.length} of ${worker.slots} slots are used and ${worker.slots - slots} held back by its agent`;
  if (held.length >= slots) return said('full', `fits, but ${usage}`);
  return fits([]) ? said('withheld', heldDetail(worker.gpusHeld)) : said('full', 'fits, but what it has left does not suffice');
}

/** Every other word of its own keeps jobs away from a worker. */
function takesJobsAs(reportedStatus: WorkerStatus | null): boolean {
  return reportedStatus === null || reportedStatus === 'online' || reportedStatus === 'busy';
}

function closedWords({ isFenced, maintenance }: ExplainedWorker['worker']): string {
  if (isFenced) return 'the key it came with was revoked';
  return maintenance === null ? 'takes no jobs now' : orderWords(maintenance);
}

function heldDetail(gpus: readonly number[]): string {
  const [noun, verb] = gpus.length === 1 ? ['GPU', 'is'] : ['GPUs', 'are'];
  return `fits, but ${noun} ${gpus.join(', ')} ${verb} still held there by a process that is not proven gone`;
}

/** Says no more than is known: which of them fit the free worker is decided by the claim. */
function aheadDetail(count: number): string {
  const jobs = count === 1 ? 'job is' : 'jobs are';
  return `${count >= AHEAD_MAX ? 'At least ' : ''}${count} queued ${jobs} older or of higher priority and may go first.`;
}

function fullDetail(full: number, withheld: number, closed: readonly WorkerExplanation[]): string {
  const taking = closed.length > 0 ? `${closed.length} taking no jobs now` : '';
  const parts = [full > 0 ? `${full} busy` : '', withheld > 0 ? `${withheld} with GPUs not given back` : '', taking].filter((part) => part !== '');
  const [first] = closed;
  // Where nobody else is there to wait for, why is said at once.
  const why = first === undefined || full + withheld > 0 ? '' : ` ${first.workerName} ${first.detail}.`;
  return `Workers that fit: ${parts.join(', ')}.${why}`;
}
