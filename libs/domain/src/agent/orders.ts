/** What is done to an execution, whoever asked for it. */
import type { AttemptCommand, AttemptRef, Refusal } from '@muster/protocol';
import type { AgentDraft } from './draft.js';
import { hasProcess } from './draft.js';
import type { EndReport, Execution, StopCause } from './state.js';

/** Nothing ran: what is reported for an attempt that was cancelled before its process began. */
const NEVER_RAN: EndReport = {
  outcome: 'cancelled',
  exit: null,
  detail: 'cancelled before it began',
  usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null },
  containment: 'group',
  leftovers: 0,
  logs: {},
  ranMs: null,
};

/** Orders the ladder, once per cause and once more when grace is no longer granted. */
export function orderStop(draft: AgentDraft, execution: Execution, cause: StopCause, isForced: boolean): Execution {
  if (!hasProcess(execution)) return execution;
  const before = execution.stop;
  if (before !== null && (before.isForced || !isForced)) return execution;
  const stop = { cause: before?.cause ?? cause, isForced };
  const { executionId, spec } = execution;
  draft.effect({ type: 'stop', executionId, cause: stop.cause, isForced, graceSeconds: isForced ? 0 : spec.graceSeconds });
  return draft.put({ ...execution, stop });
}

/** What the server wants done, told by a command or repeated by a verdict. */
export function applyCommand(draft: AgentDraft, execution: Execution, command: AttemptCommand): void {
  switch (command.kind) {
    case 'stop':
    case 'forceStop':
      if (command.isPlanned === true && execution.phase === 'asking') giveBack(draft, execution, 'draining', null);
      else if (execution.phase === 'asking') endUnstarted(draft, execution);
      else orderStop(draft, execution, command.isPlanned === true ? 'workerStopped' : 'cancelled', command.kind === 'forceStop');
      return;
    case 'freeze':
    case 'thaw':
      carryOutPause(draft, draft.put({ ...execution, isPauseWanted: command.kind === 'freeze' }));
      return;
  }
}

/**
 * Freezes or thaws what is not as it is wanted. Nothing is frozen on its way out: a stop is heard only by what runs, so the
 * shell thaws for it, and a wish to pause that comes later has nothing left to save.
 */
export function carryOutPause(draft: AgentDraft, execution: Execution): void {
  const { executionId, phase, isPauseWanted, stop } = execution;
  if (stop !== null) return;
  if (phase === 'running' && isPauseWanted) draft.effect({ type: 'freeze', executionId });
  else if (phase === 'paused' && !isPauseWanted) draft.effect({ type: 'thaw', executionId });
}

/** The job was cancelled before its process began: say so until it is heard, there is no log to wait for. */
export function endUnstarted(draft: AgentDraft, execution: Execution): void {
  draft.put({ ...execution, phase: 'exited', end: NEVER_RAN, askedMs: null, isLogDone: true });
}

/** The server wants nothing of it but its log. */
export function supersede(draft: AgentDraft, execution: Execution): void {
  if (execution.phase === 'accepting' || execution.phase === 'asking') {
    draft.forget(execution);
  } else if (hasProcess(execution)) {
    orderStop(draft, draft.put({ ...execution, isSuperseded: true }), 'superseded', false);
  } else if (execution.phase === 'exited') {
    settle(draft, { ...execution, isSuperseded: true });
  }
}

/** Its end is settled: only the log is left, and when that is done too, nothing. */
export function settle(draft: AgentDraft, execution: Execution): void {
  if (execution.isLogDone) {
    draft.forget(execution);
    return;
  }
  draft.put({ ...execution, phase: 'draining', askedMs: null });
  draft.effect({ type: 'settle', executionId: execution.executionId });
}

/** Declines an attempt that has no process; remembered, so that the same offer is not taken when it comes again. */
export function refuse(draft: AgentDraft, ref: AttemptRef, reason: Refusal, detail: string | null): void {
  draft.putRefusal({ ref, reason, detail, sentMs: null, acknowledgedMs: null });
}

/** Gives back an attempt whose process never began: first it can never run, then the server is told. */
export function giveBack(draft: AgentDraft, execution: Execution, reason: Refusal, detail: string | null): void {
  draft.forget(execution);
  refuse(draft, execution.ref, reason, detail);
}
