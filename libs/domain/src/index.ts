export type { AttemptFacts, JobFacts, WorkerFacts } from './facts.js';
export { isOlderInstance, newInstanceId } from './instance.js';
export { applyDecision, factsNeeded } from './slice.js';
export type { FactsNeeded, Slice } from './slice.js';
export { serverStep } from './server-step.js';
export type {
  AbandonCommand, AgentCommand, BeatCommand, CancelCommand, EndCommand, HelloCommand, PersonCommand, RefuseCommand,
  RequeueCommand, ServerCommand, ServerContext, StartCommand, SweepAttemptCommand, SweepCommand, SweepQueuedCommand,
  WorkerLinkCommand,
} from './server/commands.js';
export type {
  BeatDone, Done, HelloDone, Illegal, NewEvent, NotFound, Notice, ReplyOf, SenderRefused, ServerDecision, ServerReplies,
} from './server/decision.js';
export { decideClaim } from './claim.js';
export type { ClaimInput } from './claim.js';
export { matches } from './matching.js';
export type { MatchResult, Mismatch, Requirements, WorkerProfile } from './matching.js';
export { agentStep, nextWakeMs, startAgent } from './agent-step.js';
export type { AgentStep } from './agent-step.js';
export { EXECUTION_PHASES } from './agent/state.js';
export type {
  AgentConfig, AgentMode, AgentState, EndReport, Execution, ExecutionPhase, Intent, LinkPhase, RecoveredExecution, Refusing,
  StopCause,
} from './agent/state.js';
export type { AgentEvent, ControlEvent, LinkEvent, OfferEvent, ProcessEvent } from './agent/events.js';
export type { AgentEffect, BeatFacts } from './agent/effects.js';
