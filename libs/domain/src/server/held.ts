/**
 * What a worker holds beside its leases and can give to nobody: slots and GPUs of processes that are not proven dead, or that
 * have no lease. Counted from one message alone, which is consistent in itself: comparing it with our rows would take an
 * offer on its way for a lost slot, or a slot that is held back for a free one.
 */
import type { ExecutionReport, Verdict } from '@muster/protocol';
import type { WorkerFacts } from '../facts.js';
import type { Draft } from './draft.js';
import { termOf } from './term.js';
import { isReported } from './verdict.js';

/** What the agent said of itself, with how its executions were ruled on. */
export interface Told {
  readonly executions: readonly ExecutionReport[];
  readonly gpusHeld: readonly number[];
  readonly verdicts: readonly Verdict[];
}

type Standing = 'gone' | 'leased' | 'over' | 'unleased';

/** Slots less those the agent holds back. */
export function usableSlots(draft: Draft, worker: WorkerFacts, told: Told & { readonly slotsFree: number }): number {
  const counted = standings(draft, worker, told).filter(({ standing }) => standing === 'leased' || standing === 'over');
  return Math.max(0, Math.min(worker.slots, told.slotsFree + counted.length));
}

/** GPUs that no lease covers and that are not free; ascending, each once. */
export function heldGpus(draft: Draft, worker: WorkerFacts, told: Told): number[] {
  const held = new Set(told.gpusHeld);
  for (const { report, standing } of standings(draft, worker, told)) {
    if (standing !== 'unleased') continue;
    for (const index of termOf(draft, worker, report)?.attempt.gpus ?? []) held.add(index);
  }
  return ascending(held);
}

/** The agent tells an end and gives up on its processes: until the next beat says more, they keep a slot and their GPUs. */
export function withhold(draft: Draft, worker: WorkerFacts, gpus: readonly number[]): void {
  const gpusHeld = ascending(new Set([...worker.gpusHeld, ...gpus]));
  draft.putWorker({ ...worker, slotsUsable: Math.max(0, worker.slotsUsable - 1), gpusHeld });
}

function ascending(indexes: ReadonlySet<number>): number[] {
  return [...indexes].sort((left, right) => left - right);
}

function standings(draft: Draft, worker: WorkerFacts, { executions, verdicts }: Told): { readonly report: ExecutionReport; readonly standing: Standing }[] {
  return executions.map((report, index) => ({ report, standing: standingOf(draft, worker, report, verdicts[index]) }));
}

function standingOf(draft: Draft, worker: WorkerFacts, report: ExecutionReport, verdict: Verdict | undefined): Standing {
  if (report.state === 'exited') return 'gone';
  if (verdict?.kind === 'keep' || verdict?.kind === 'reclaimed') return 'leased';
  const attempt = termOf(draft, worker, report)?.attempt;
  // The worker has told its end since: the message is older than that, and nothing of it is left.
  return attempt !== undefined && isReported(attempt) && attempt.outcome !== 'unkillable' ? 'over' : 'unleased';
}
