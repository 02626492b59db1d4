import type { MetricPoint } from './agent-events.js';
import type { AttemptId } from './ids.js';
import type { LogStream, LogStreamState } from './log.js';
import type { JobReason, JobStatus, ReasonText } from './job.js';

/** Paths of the REST interface, below the control plane's URL. */
export const API_BASE = '/api/v1';
export const OPENAPI_PATH = '/api/openapi.json';
export const API_DOCS_PATH = '/api/docs';
export const DEFAULT_PORT = 6878;
export const DEFAULT_MONITOR_PORT = 8001;

/** A page of a list. `nextCursor` is opaque, and null on the last page; a page may be empty and not the last. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}

/** `GET /meta` */
export interface MetaView {
  readonly version: string;
  readonly protocolVersion: string;
  readonly apiBase: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly workerTimeoutMs: number;
  /** How long finished jobs are kept, with their attempts, events and metrics. */
  readonly jobRetentionMs: number;
  /** How long their logs are. */
  readonly logRetentionMs: number;
  /** How long samples of workers are, by the hour. */
  readonly sampleRetentionMs: number;
}

/** `GET /me` */
export interface MeView {
  readonly keyId: string;
  readonly role: string;
  readonly owner: string;
  readonly name: string;
}

/** A point of `GET /jobs/{id}/metrics`. */
export interface MetricPointView extends MetricPoint {
  /** The attempt whose process measured it. */
  readonly attemptId: AttemptId;
}

/** One event of `GET /jobs/{id}/logs` with `follow=true` (server-sent events). The SSE id is `<attemptId>:<stream>:<offset after>`. */
export type LogFollowEvent =
  | { readonly type: 'log'; readonly attemptId: string; readonly stream: string; readonly offset: number; readonly base64: string; readonly readAt: string }
  | { readonly type: 'gap'; readonly attemptId: string; readonly stream: string; readonly offset: number; readonly length: number }
  /** A new attempt begins; what follows is its log. */
  | { readonly type: 'attempt'; readonly attemptId: string; readonly number: number; readonly workerName: string }
  /** The job's status changed. */
  | { readonly type: 'status'; readonly status: string; readonly reason: string; readonly reasonDetail: string | null; readonly exitCode: number | null; readonly signal: string | null }
  /** The job is final and its log complete (or given up on): the stream ends. */
  | { readonly type: 'end'; readonly status: string; readonly logState: string };

/** `GET /jobs/{id}/logs` as JSON: a piece of one stream. Segments follow one another without a hole. */
export interface LogPageView {
  readonly attemptId: AttemptId;
  readonly attemptNumber: number;
  readonly stream: LogStream;
  readonly offset: number;
  /** Where the next piece begins; equal to `log.storedLength` when nothing more is stored. */
  readonly nextOffset: number;
  /** Line ends before `offset`. */
  readonly firstLine: number;
  readonly segments: readonly LogSegmentView[];
  readonly log: LogStreamState;
}

/** `base64` holds the bytes as printed, of the type `bytes` only; a `gap` stands for bytes that were not kept. */
export interface LogSegmentView {
  readonly type: 'bytes' | 'gap';
  readonly offset: number;
  readonly length: number;
  readonly base64?: string;
  readonly readAt: string;
}

/** `GET /jobs/{id}/logs?q=…` */
export interface LogMatchesView {
  readonly attemptId: AttemptId;
  readonly stream: LogStream;
  readonly data: readonly { readonly offset: number; readonly line: number; readonly text: string }[];
  readonly nextOffset: number;
  readonly isComplete: boolean;
}

/** `GET /jobs/{id}/explain` */
export interface ExplainView {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly reason: JobReason;
  readonly reasonText: ReasonText;
  readonly detail: string | null;
  readonly perWorker: readonly { readonly workerId: string; readonly workerName: string; readonly reasons: readonly string[] }[];
}
