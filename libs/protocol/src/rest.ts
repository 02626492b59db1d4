/** Paths of the REST interface, below the control plane's URL. */
export const API_BASE = '/api/v1';
export const OPENAPI_PATH = '/api/openapi.json';
export const API_DOCS_PATH = '/api/docs';
export const DEFAULT_PORT = 6878;
export const DEFAULT_MONITOR_PORT = 8001;

/** A page of a list. `nextCursor` is opaque, and null on the last page. */
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
}

/** `GET /me` */
export interface MeView {
  readonly keyId: string;
  readonly role: string;
  readonly owner: string;
  readonly name: string;
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
