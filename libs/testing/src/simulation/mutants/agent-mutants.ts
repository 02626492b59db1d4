/** Rules of the agent, each broken in its own text, and those that live in the shells of both sides. */
import type { Mutant } from './mutant.js';
import { withUnkillableGpuJobs } from './shapes.js';

export const AGENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a process starts with its intent, and asks later', profile: 'exclusive', budget: 20,
    patches: [
      {
        file: 'agent/offers.ts', find: "if (execution?.phase === 'accepting') draft.put({ ...execution, phase: 'asking' });",
        replace: "if (execution?.phase !== 'accepting') return;\n  draft.put({ ...execution, phase: 'starting' });\n  draft.effect({ type: 'spawn', executionId: execution.executionId, notAfterMs: Infinity, deadlineMs: null });",
      },
    ],
  },
  {
    name: 'a go is acted upon however late it comes', profile: 'exclusive', firstSeed: 120, budget: 2_000,
    patches: [
      { file: 'agent/offers.ts', find: 'if (draft.nowMs > lastMs) {', replace: 'if (draft.nowMs < 0) {' },
      { file: 'agent/offers.ts', find: 'notAfterMs: lastMs, deadlineMs });', replace: 'notAfterMs: Infinity, deadlineMs: null });' },
    ],
  },
  {
    name: 'a go is acted upon twice', profile: 'exclusive', budget: 200,
    patches: [{ file: 'agent/offers.ts', find: "if (execution?.phase !== 'asking') return;\n  if (event.answer", replace: 'if (execution === undefined) return;\n  if (event.answer' }],
  },
  {
    name: 'a deadline counts from the receipt of the answer', profile: 'exclusive', budget: 2_000,
    patches: [
      { file: 'agent/offers.ts', find: 'const deadlineMs = isFenced ? sentMs +', replace: 'const deadlineMs = isFenced ? draft.nowMs +' },
      { file: 'agent/link.ts', find: 'const deadlineMs = sentMs + fenceMs(leaseMs);', replace: 'const deadlineMs = draft.nowMs + fenceMs(leaseMs);' },
    ],
  },
  {
    name: 'a deadline is the whole lease', profile: 'exclusive', budget: 2_000,
    patches: [{ file: 'spec-checks.ts', find: 'return Math.round(leaseLengthMs * TIMES.agentShare);', replace: 'return leaseLengthMs;' }],
  },
  {
    name: 'the agent leaves deadlines to the timer outside it', profile: 'exclusive', firstSeed: 1_740, budget: 2_000,
    patches: [
      { file: 'agent/control.ts', find: "if (hasProcess(execution) && execution.deadlineMs !== null && execution.deadlineMs <= draft.nowMs) orderStop(draft, execution, 'leaseOver', true);", replace: '' },
      { file: 'agent/control.ts', find: 'if (hasProcess(execution) && execution.deadlineMs !== null && execution.stop?.isForced !== true) moments.push(execution.deadlineMs);', replace: '' },
    ],
  },
  {
    name: 'an end counts as heard once it was sent', profile: 'reclaim', budget: 20,
    patches: [{ file: 'agent/processes.ts', find: "if (event.answer === 'timeout' || 'error' in event.answer) draft.put({ ...execution, askedMs: draft.nowMs });\n  else settle(draft, execution);", replace: 'settle(draft, execution);' }],
  },
  {
    name: 'a directory goes when its end is heard, whatever became of its log', profile: 'reclaim', budget: 20,
    patches: [{ file: 'agent/orders.ts', find: 'if (execution.isLogDone) {', replace: 'if (execution.end !== null) {' }],
  },
  {
    name: 'a quarantined slot is given back at once', profile: 'reclaim', firstSeed: 220, budget: 1_500,
    patches: [{ file: 'agent/processes.ts', find: 'if (event.isQuarantined) quarantine(draft, execution);', replace: '' }],
  },
  {
    name: 'an agent keeps to itself which GPUs are held', profile: 'reclaim', budget: 200, shape: withUnkillableGpuJobs,
    patches: [{ file: 'agent/draft.ts', find: 'new Set([...draft.state.gpusQuarantined, ...unwanted', replace: 'new Set([...unwanted' }],
  },
  {
    name: 'a new start forgets the GPUs of what it could not kill', profile: 'reclaim', budget: 1_000, shape: withUnkillableGpuJobs,
    patches: [{ file: 'agent/recovery.ts', find: "if (end?.outcome === 'unkillable' && draft.state.quarantined > 0)", replace: 'if (draft.state.quarantined < 0)' }],
  },
  {
    name: 'a new start forgets the GPUs of what it adopted', profile: 'reclaim', firstSeed: 95, budget: 2_000, shape: withUnkillableGpuJobs,
    patches: [{ file: 'agent/recovery.ts', find: 'spec, gpus, offerTtlMs, deadlineMs, end, isLogDone,', replace: 'spec, gpus: [], offerTtlMs, deadlineMs, end, isLogDone,' }],
  },
  {
    name: 'a cancelled process that is frozen is only thawed', profile: 'reclaim', budget: 500,
    patches: [{ file: 'agent/orders.ts', find: "else orderStop(draft, execution, command.isPlanned === true ? 'workerStopped' : 'cancelled', command.kind === 'forceStop');", replace: "else if (execution.phase === 'paused') {\n        draft.effect({ type: 'thaw', executionId: execution.executionId });\n        draft.put({ ...execution, stop: { cause: 'cancelled', isForced: false } });\n      } else orderStop(draft, execution, 'cancelled', command.kind === 'forceStop');" }],
  },
  {
    name: 'a frozen process is not named in beats', profile: 'reclaim', budget: 300,
    patches: [{ file: 'agent/draft.ts', find: "      case 'running':\n      case 'paused':\n      case 'exited':", replace: "      case 'paused':\n        return [];\n      case 'running':\n      case 'exited':" }],
  },
];

export const SHELL_MUTANTS: readonly Mutant[] = [
  { name: 'an end is acknowledged before the commit', profile: 'reclaim', budget: 100, shell: { acknowledgesAfterCommit: false } },
  { name: 'a sweep stores what it decided a while ago', profile: 'exclusive', budget: 300, shell: { sweepsByComparing: false } },
  { name: 'no timer outside the agent ends exclusive processes', profile: 'exclusive', firstSeed: 245, budget: 3_000, shell: { hasWarden: false } },
  { name: 'a directory is removed before its log is stored', profile: 'reclaim', budget: 50, shell: { keepsUntilDone: false } },
  { name: 'a process begins before its directory is on disk', profile: 'exclusive', budget: 1_000, shell: { writesIntentFirst: false } },
  { name: 'a frozen process is told to stop and not thawed', profile: 'reclaim', budget: 300, shell: { thawsToStop: false } },
  { name: 'a run limit counts the time a process is frozen', profile: 'reclaim', budget: 100, shell: { stopsRunClockWhileFrozen: false } },
];
