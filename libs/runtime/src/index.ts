export { createSystemClock, type Clock } from './clock.js';
export type { UptimeReader } from './uptime.js';
export { Backoff, backoffDelayMs, type BackoffOptions } from './backoff.js';
export { Loop, type LoopOptions } from './loop.js';
export {
  exitCodeOfSignal,
  installShutdown,
  SIGNAL_MERGE_MS,
  type Shutdown,
  type ShutdownOptions,
  type SignalSource,
} from './shutdown.js';
export { BoundedQueue, type BoundedQueueOptions, type OverflowPolicy, type PushOutcome } from './bounded-queue.js';
export { releaseAllocation, releaseBytes } from './release-bytes.js';
export { GatheredWrites } from './gathered-writes.js';
export { GroupCommitLane, LaneClosed, LaneFull, type GroupCommitOptions } from './group-commit.js';
export { ConfigError, EXIT_CODE_CONFIG, type Complaint } from './config/config-error.js';
export { formatDuration, parseDurationMs } from './config/duration.js';
export {
  address,
  custom,
  duration,
  flag,
  integer,
  list,
  oneOf,
  secret,
  text,
  type ConfigOf,
  type Field,
  type Parsed,
  type Schema,
} from './config/fields.js';
export { KNOWN_NAMES } from './config/known-names.js';
export { loadConfig, readEnvironment, type Environment, type LoadConfigOptions } from './config/env.js';
export { nearestName } from './config/nearest-name.js';
export { createLogger, type LineSink, type Logger, type LoggerOptions } from './logger.js';
export { redactText } from './redact.js';
