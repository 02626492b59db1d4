/**
 * Two names for one process. The reducer calls an execution by the attempt that began it (in this life of the agent); the
 * process side by an opaque id of its own directory. An execution that never got a directory has only the first.
 */
import type { EndReport, RecoveredExecution, StopCause } from '@muster/domain';
import type { AttemptEnd, AttemptId, ContainmentRung } from '@muster/protocol';
import type {
  ExecutionEnd,
  ExecutionId,
  ExecutionView,
  RecoveredExecution as FoundExecution,
  StopReason,
} from '../execution/execution-types.js';
import { toDetail } from './detail.js';

export class ExecutionMap {
  private readonly processes = new Map<AttemptId, ExecutionId>();
  private readonly names = new Map<ExecutionId, AttemptId>();

  add(executionId: AttemptId, processId: ExecutionId): void {
    this.processes.set(executionId, processId);
    this.names.set(processId, executionId);
  }

  delete(executionId: AttemptId): void {
    const processId = this.processes.get(executionId);
    this.processes.delete(executionId);
    if (processId) this.names.delete(processId);
  }

  processOf(executionId: AttemptId): ExecutionId | undefined {
    return this.processes.get(executionId);
  }

  nameOf(processId: ExecutionId): AttemptId | undefined {
    return this.names.get(processId);
  }
}

/** Why the reducer stops a process, in the words of the side that does it. */
export function toStopReason(cause: StopCause): StopReason {
  switch (cause) {
    case 'cancelled':
      return 'cancelled';
    case 'workerStopped':
      return 'stopped';
    case 'superseded':
    case 'leaseOver':
      return 'superseded';
  }
}

function toStop(reason: StopReason | null): RecoveredExecution['stop'] {
  if (reason === null) return null;
  return { cause: reason === 'stopped' ? 'workerStopped' : reason, isForced: false };
}

type Recovered = Pick<RecoveredExecution, 'ref' | 'jobId' | 'spec' | 'gpus' | 'state' | 'end' | 'stop'>;

function recoveredFrom(facts: Recovered): RecoveredExecution {
  // What only an offer needs is decided by now: nothing recovered is started again.
  const decided = { number: 1, offerTtlMs: 0 };
  return { executionId: facts.ref.attemptId, ...decided, deadlineMs: null, isLogDone: false, ...facts };
}

export function toRecovered(view: ExecutionView, logs: EndReport['logs'], isSettled: boolean): RecoveredExecution {
  const { ref, jobId, spec, gpus, phase, stopping } = view;
  const end = view.end && toEndReport(view.end, logs);
  const state = phase === 'exited' && isSettled ? 'settled' : phase;
  return recoveredFrom({ ref, jobId, spec, gpus, state, end, stop: toStop(stopping) });
}

/** Proven never to have run: told as an end that costs the job nothing, so that the control plane need not call it lost. */
export function toNeverStarted(
  found: Extract<FoundExecution, { kind: 'neverStarted' }>,
  containment: ContainmentRung,
): RecoveredExecution {
  const { ref, jobId, spec } = found;
  const end = neverRan('refused', 'The agent ended before it could start it.', containment);
  return recoveredFrom({ ref, jobId, spec, gpus: [], state: 'exited', end, stop: null });
}

export function toEndReport(end: ExecutionEnd, logs: EndReport['logs']): EndReport {
  return { ...end, detail: end.detail && toDetail(end.detail), logs };
}

/** Without anything of the job's or of other programs' making: what is left when the whole was refused. */
export function toBareEnd({ result, detail, ...end }: AttemptEnd, refusal: string): AttemptEnd {
  const had = [detail === null ? '' : 'the detail', result === undefined ? '' : 'the result'].filter(Boolean);
  const lost = had.length === 0 ? 'The report of this end' : `This end with ${had.join(' and ')}`;
  return { ...end, detail: toDetail(`${lost} was refused by the control plane: ${refusal}`) };
}

/** The end of something that never ran and never will. */
export function neverRan(outcome: 'refused' | 'spawnFailed', detail: string, containment: ContainmentRung): EndReport {
  const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
  return { outcome, exit: null, detail: toDetail(detail), usage, containment, leftovers: 0, logs: {}, ranMs: null };
}
