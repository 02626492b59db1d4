/** The first step of every start: from what the state directory holds to what the agent knows and must do about it. */
import { AgentDraft } from './draft.js';
import { supersede } from './orders.js';
import type { AgentConfig, AgentState, Execution, ExecutionPhase, RecoveredExecution } from './state.js';

const PHASES: Record<RecoveredExecution['state'], ExecutionPhase> = {
  accepted: 'asking',
  running: 'running',
  paused: 'paused',
  exited: 'exited',
  settled: 'draining',
};

export function recover(config: AgentConfig, recovered: readonly RecoveredExecution[], nowMs: number): AgentDraft {
  const draft = new AgentDraft(emptyState(config), nowMs);
  for (const found of recovered) takeOn(draft, found);
  return draft;
}

function takeOn(draft: AgentDraft, found: RecoveredExecution): void {
  const { executionId, ref, jobId, number, spec, gpus, offerTtlMs, deadlineMs, end, stop, isLogDone } = found;
  const execution: Execution = {
    executionId, ref, jobId, number, spec, gpus, offerTtlMs, deadlineMs, end, isLogDone,
    phase: PHASES[found.state], askedMs: null, lateGoes: 0, stop, isPauseWanted: found.state === 'paused', isSuperseded: stop?.cause === 'superseded',
  };
  draft.put(execution);
  // Its processes may be there still; the shell has counted their slots.
  if (end?.outcome === 'unkillable' && draft.state.quarantined > 0) draft.set({ gpusQuarantined: [...draft.state.gpusQuarantined, ...gpus] });
  if (found.state === 'settled') {
    if (isLogDone) draft.forget(execution);
    else draft.effect({ type: 'settle', executionId });
  } else if (execution.isSuperseded && found.state === 'exited') {
    supersede(draft, execution);
  } else if (stop !== null && (found.state === 'running' || found.state === 'paused')) {
    // The ladder died with the agent that had begun it.
    draft.effect({ type: 'stop', executionId, cause: stop.cause, isForced: stop.isForced, graceSeconds: stop.isForced ? 0 : spec.graceSeconds });
  }
}

function emptyState(config: AgentConfig): AgentState {
  return {
    ...config,
    session: 0,
    link: 'down',
    connection: 0,
    mode: 'serving',
    isOver: false,
    objection: null,
    nextBeatMs: null,
    gpusQuarantined: [],
    executions: new Map(),
    refusals: new Map(),
  };
}
