export type { AttemptFacts, Cordon, Drain, JobFacts, Maintenance, WorkerFacts } from './facts.js';
export { isOlderInstance, newInstanceId, nextInstanceId } from './instance.js';
export { SliceInProgress, applyDecision, factsNeeded } from './slice.js';
export type { FactsNeeded, Slice } from './slice.js';
export { serverStep } from './server-step.js';
export type {
  AbandonCommand, AgentCommand, BeatCommand, CancelCommand, CordonCommand, DrainCommand, EndCommand, HelloCommand, PauseCommand, PersonCommand,
  RefuseCommand, RemoveWorkerCommand, RequeueCommand, ResumeCommand, ServerCommand, ServerContext, SetSlotsCommand, StartCommand,
  SweepAttemptCommand, SweepCommand, SweepDrainCommand, SweepQueuedCommand, UndrainCommand, WorkerLinkCommand, WorkerOrder,
} from './server/commands.js';
export type {
  BeatDone, Done, HelloDone, IllegalOrder, Illegal, NewEvent, NotFound, Notice, ReplyOf, SenderRefused, ServerDecision, ServerReplies,
} from './server/decision.js';
export { decideClaim, goesBefore, isDue, slotsToFill, takesOffers } from './claim.js';
export type { ClaimInput } from './claim.js';
export { offerTermMs } from './server/lease.js';
export { fit, matches, requirementsOf, roomOf, runKindOf } from './matching.js';
export type { MatchResult, Mismatch, Requirements, Room, WorkerProfile } from './matching.js';
export { AHEAD_MAX, explain, OFFERED } from './explain.js';
export type { ExplainedWorker, Explanation, WorkerExplanation } from './explain.js';
export { parseLabelExpression, satisfiesLabel } from './label-expression.js';
export type { LabelExpression, LabelOperator, ParsedLabelExpression } from './label-expression.js';
export { parseLabelFilter, satisfiesLabels } from './label-filter.js';
export type { LabelCondition, ParsedLabelFilter } from './label-filter.js';
export { versionSkew } from './version-skew.js';
export { onLogChunk } from './log-order.js';
export type { ChunkVerdict } from './log-order.js';
export { JOB_TRANSITIONS, allowedActions, isFinalJob, jobStatusesBefore, mayJobMove } from './job-lifecycle.js';
export { ATTEMPT_TRANSITIONS, attemptStatesBefore, isLive, isStarted, mayAttemptMove } from './attempt-lifecycle.js';
export { WORKER_LINK_TRANSITIONS, isMassSilence, workerLink, workerReadiness, workerStatus } from './worker-lifecycle.js';
export { decideRetry } from './retry.js';
export type { RetryCause, RetryVerdict, Tries } from './retry.js';
export { RETRY_DEFAULTS, toJobSpec } from './spec-defaults.js';
export type { SpecResult, SubmittedJob } from './spec-defaults.js';
export { STOP_SIGNALS, fenceMs } from './spec-checks.js';
export { agentStep, nextWakeMs, startAgent } from './agent-step.js';
export type { AgentStep } from './agent-step.js';
export { EXECUTION_PHASES } from './agent/state.js';
export type {
  AgentConfig, AgentMode, AgentState, EndReport, Execution, ExecutionPhase, Intent, LinkPhase, RecoveredExecution, Refusing,
  StopCause,
} from './agent/state.js';
export type { AgentEvent, ControlEvent, LinkEvent, OfferEvent, ProcessEvent } from './agent/events.js';
export type { AgentEffect, BeatFacts } from './agent/effects.js';
