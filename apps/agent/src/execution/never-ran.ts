/** Ends of executions that never had a process. Pure. */
import type { ContainmentRung } from '@muster/protocol';
import { CannotStart } from './execution-hook.js';
import type { ExecutionEnd, StopReason } from './execution-types.js';

function endWithoutRun(outcome: ExecutionEnd['outcome'], detail: string, containment: ContainmentRung): ExecutionEnd {
  const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
  return { outcome, exit: null, detail, usage, leftovers: 0, containment, ranMs: null };
}

/** The job's own fault where a hook said so, else the machine's (a full disk). */
export function endOfFailedStart(error: unknown, rung: ContainmentRung): ExecutionEnd {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof CannotStart) return endWithoutRun(error.outcome, reason, rung);
  return endWithoutRun('spawnFailed', `This worker could not prepare the job: ${reason}`, rung);
}

/** Only a limit stops without a reason, and those are not looked at before the start: then it is a plain cancellation. */
export function endOfStoppedStart(reason: StopReason | null, rung: ContainmentRung): ExecutionEnd {
  return endWithoutRun(reason ?? 'cancelled', 'It was stopped before it started.', rung);
}

/** May be ordered again: nothing happened. */
export function endOfLateStart(rung: ContainmentRung): ExecutionEnd {
  return endWithoutRun('refused', 'Its start was granted too late.', rung);
}
