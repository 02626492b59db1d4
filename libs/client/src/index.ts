export { Muster } from './client.js';
export type { CallOptions, MusterOptions, QueryValue, RequestOptions } from './http.js';
export type { RetryOptions, Timing } from './timing.js';
export {
  Forbidden,
  IllegalTransition,
  InvalidRequest,
  MusterError,
  NotFound,
  ServerFailed,
  TryLater,
  Unauthenticated,
  UnexpectedAnswer,
  Unreachable,
  WaitTimedOut,
} from './errors.js';
export type { MusterErrorCode } from './errors.js';
export { isFinal } from './jobs.js';
export type { CancelOptions, JobFilter, JobSubmission, Jobs, PauseOptions, SubmitOptions, WaitOptions } from './jobs.js';
export type {
  LogDownload,
  LogPage,
  LogPageOptions,
  LogReadOptions,
  LogSearchOptions,
  LogSegment,
  Logs,
} from './logs.js';
export type { FollowOptions } from './log-follow.js';
export type { LogEvent, LogPiece } from './log-join.js';
export type { PageOptions } from './paging.js';
export type { SamplesOptions } from './samples.js';
export type { DrainOrder, WorkerChanges, WorkerFilter, WorkerOrder, Workers } from './workers.js';
export type { EnrolmentTokenRequest, Expiry, KeyRequest, Keys } from './keys.js';
export { CLIENT_VERSION } from './version.js';
