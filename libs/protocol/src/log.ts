import type { AttemptRef } from './attempt.js';

export const LOG_STREAMS = ['output', 'stdout', 'stderr', 'system'] as const;
/**
 * `output`: stdout and stderr in true order (the default). `stdout`, `stderr`: with `logs.separate`. `system`: the
 * control plane's own lines, each carrying the length of `output` at which it belongs.
 */
export type LogStream = (typeof LOG_STREAMS)[number];
/** Streams an agent may send. */
export const AGENT_LOG_STREAMS = ['output', 'stdout', 'stderr'] as const satisfies readonly LogStream[];

export const LOG_ENCODINGS = ['gzip', 'identity', 'gap'] as const;
/** `gap`: `rawLength` bytes that were produced and not kept (the log's cap); carries no bytes. */
export type LogEncoding = (typeof LOG_ENCODINGS)[number];

/**
 * A piece of one stream. Offsets count raw bytes as printed, from 0, and are the same in the agent's file, on the wire
 * and in the store. Stored if and only if `offset` equals the stored length.
 */
export interface LogChunk extends AttemptRef {
  readonly stream: (typeof AGENT_LOG_STREAMS)[number];
  readonly offset: number;
  /** Bytes after decoding: 1 to `logChunkBytesMax` of the hello's answer; for a gap up to the size of the hole. */
  readonly rawLength: number;
  readonly encoding: LogEncoding;
  /** When the agent read it, RFC 3339. */
  readonly readAt: string;
  readonly bytes: Uint8Array;
}

/** Answer to a chunk. Whatever was sent, `storedLength` is where the sender goes on. */
export type LogAck =
  | { readonly storedLength: number }
  /** The attempt is not this worker's, or is unknown: forget its log. */
  | { readonly gone: true }
  /** Too much at once; send again after the pause. */
  | { readonly retryAfterMs: number };

/** Length and digest of the raw bytes, sent with the attempt's end: the proof a stored log is held against. */
export interface LogProof {
  readonly length: number;
  /** Lower-case hex SHA-256 of the raw bytes; bytes inside a gap count as not sent and are left out. */
  readonly sha256: string;
}

export interface LogStreamState {
  readonly storedLength: number;
  readonly finalLength: number | null;
  readonly sha256: string | null;
  /**
   * `live`: still produced. `draining`: ended, bytes on their way. `complete`: every byte is stored. `missing`: never came.
   * `removed`: kept long enough and gone; lengths and digest still say what it was.
   */
  readonly state: 'live' | 'draining' | 'complete' | 'missing' | 'removed';
  readonly lineCount: number;
}
