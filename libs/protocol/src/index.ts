export { PROTOCOL_VERSION, PROTOCOL_VERSION_TEXT } from './version.js';
export { ID_PREFIXES, isId, toId } from './ids.js';
export type { AttemptId, EnrolmentTokenId, EventId, IdPrefix, JobId, KeyId, WorkerId } from './ids.js';
export { LABEL_NAME, LABEL_RULE } from './labels.js';
export { LIMITS, TIMES, beatIntervalMs, leaseMs } from './limits.js';
export {
  CONTAINMENT_RUNGS, DESIRED_STATES, EXTERNAL_KINDS, FINAL_JOB_STATUSES, JOB_ACTIONS, JOB_REASONS, JOB_STATUSES, ON_WORKER_LOST, PAUSE_MODES,
  REASON_TEXTS,
} from './job.js';
export type {
  ContainmentRung, DesiredState, DisconnectPolicy, ExternalKind, ExternalRun, JobAction, JobLimits, JobNeeds, JobReason, JobSpec, JobStatus, JobView,
  OnWorkerLost, PauseMode, ReasonText, RetryPolicy, RunSpec,
} from './job.js';
export { ATTEMPT_STATES, LIVE_ATTEMPT_STATES, OUTCOMES, REFUSALS } from './attempt.js';
export type { AttemptRef, AttemptState, AttemptView, Exit, Outcome, Refusal, Usage } from './attempt.js';
export { CAPABILITIES, DEFAULT_CONTENT_TYPES, PLATFORMS, VERSION_SKEWS, WORKER_ADAPTERS, WORKER_FAULTS, WORKER_LINKS, WORKER_STATUSES } from './worker.js';
export type {
  AttemptSample, Capability, GpuInfo, GpuSample, Inventory, Platform, VersionSkew, WorkerAdapter, WorkerFault, WorkerFaultCode, WorkerLink, WorkerSample,
  WorkerStatus, WorkerLocation, WorkerView,
} from './worker.js';
export { SAMPLE_LIMITS, SAMPLE_MEASURES, SAMPLE_RESOLUTIONS } from './samples.js';
export type {
  SampleMeasure, SampleMeasureView, SampleResolution, SampleSeriesView, SampleSubject, SamplesView,
} from './samples.js';
export { DRAIN_DEADLINE_SECONDS_MAX, DRAIN_POLICIES, WORKER_OVERRIDES, WORKER_SLOTS_MAX } from './worker-orders.js';
export type { DrainPolicy, DrainView, MaintenanceView, WorkerOverride, WorkerSaid } from './worker-orders.js';
export { AGENT_CHECK_RESULTS } from './agent-status.js';
export type { AgentCheck, AgentCheckResult, AgentStatusView, AgentDoctorView } from './agent-status.js';
export { AGENT_LOG_STREAMS, LOG_ENCODINGS, LOG_STREAMS } from './log.js';
export type { LogAck, LogChunk, LogEncoding, LogProof, LogStream, LogStreamState } from './log.js';
export { ENROLMENT_PREFIX, JOB_TOKEN_PREFIX, KEY_PREFIXES, KEY_TIMES, PEOPLE_ROLES, ROLES } from './keys.js';
export type { CreatedEnrolmentTokenView, CreatedKeyView, EnrolmentTokenView, KeyView, Role } from './keys.js';
export { EVENT_TYPES } from './event.js';
export type { EventType, EventView } from './event.js';
export { PROBLEMS } from './problems.js';
export { CLAIM_WAIT_SECONDS_MAX, REPORTED_OUTCOMES, RUN_KINDS } from './http-workers.js';
export type {
  ClaimedAttemptView, ClaimView, HeartbeatView, PendingCommand, RegisteredWorkerView, RenewedView, ReportedOutcome,
} from './http-workers.js';
export type { FieldError, Problem, ProblemCode } from './problems.js';
export { DISCONNECTS } from './disconnects.js';
export type { DisconnectReason } from './disconnects.js';
export { AGENT_NAMESPACE, AGENT_TO_SERVER_EVENTS, EXECUTION_STATES } from './agent-events.js';
export type {
  Ack, AgentHandshake, AgentToServerEvents, AttemptCommand, AttemptEnd, Beat, BeatAck, EndAck, ExecutionReport, ExecutionState,
  Hello, HelloAck, MetricPoint, MetricsAppend, Offer, Progress, Refuse, ServerToAgentEvents, StartAck, Verdict,
} from './agent-events.js';
export type { StatsView, ThroughputView, WorkerStatsView } from './stats.js';
export { API_BASE, API_DOCS_PATH, DEFAULT_MONITOR_PORT, DEFAULT_PORT, OPENAPI_PATH } from './rest.js';
export type {
  ExplainView, LogFollowEvent, LogMatchesView, LogPageView, LogSegmentView, MeView, MetaView, MetricPointView, Page,
} from './rest.js';
