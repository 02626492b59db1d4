/**
 * What of a log is sent, and when: pure, so that a restarted agent reaches the same answers from the file alone.
 *
 * ```
 *  0          head                          total - tail          total
 *  ├──────────┼──────────────────────────────┼─────────────────────┤
 *  │ sent as  │ while it grows: not sent;    │ sent at the end     │
 *  │ it grows │ at the end: one gap          │                     │
 * ```
 *
 * The head is a quarter of the cap, the tail the other three. A log that ends within its cap has no gap. Which bytes will
 * form the tail is known only at the end, so nothing beyond the head is sent before.
 */

export interface LogCap {
  /** Bytes sent as the log grows. */
  readonly headBytes: number;
  /** Bytes kept from its end. */
  readonly tailBytes: number;
}

export interface LogFacts {
  /** Where sending goes on. */
  readonly position: number;
  /** Length of the file now. */
  readonly sizeBytes: number;
  /** True once nothing will be added. */
  readonly isFinal: boolean;
  /** Bytes in one piece. */
  readonly pieceBytesMax: number;
}

export type Piece =
  | { readonly kind: 'bytes' | 'gap'; readonly offset: number; readonly length: number }
  /** Nothing to send before the log grows or ends. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'drained' };

export interface Range {
  readonly start: number;
  /** First byte that is not in it. */
  readonly end: number;
}

export function toLogCap(capBytes: number): LogCap {
  const headBytes = Math.floor(capBytes / 4);
  return { headBytes, tailBytes: capBytes - headBytes };
}

/**
 * The hole of a log that ended with this length; empty (start = end) when it stayed within its cap. Of a log that still
 * grows it is what is certain to be dropped: the hole only gets longer.
 */
export function gapOf(cap: LogCap, totalBytes: number): Range {
  const start = Math.min(cap.headBytes, totalBytes);
  return totalBytes <= cap.headBytes + cap.tailBytes
    ? { start, end: start }
    : { start, end: totalBytes - cap.tailBytes };
}

/** What to send next. Never more than one chunk of bytes; a gap is always one piece. */
export function nextPiece(cap: LogCap, facts: LogFacts): Piece {
  const { position, sizeBytes, isFinal, pieceBytesMax } = facts;
  if (!isFinal) {
    const end = Math.min(sizeBytes, cap.headBytes, position + pieceBytesMax);
    return position < end ? { kind: 'bytes', offset: position, length: end - position } : { kind: 'wait' };
  }
  if (position >= sizeBytes) return { kind: 'drained' };
  const gap = gapOf(cap, sizeBytes);
  if (position >= gap.start && position < gap.end) return { kind: 'gap', offset: position, length: gap.end - position };
  const limit = position < gap.start ? gap.start : sizeBytes;
  return { kind: 'bytes', offset: position, length: Math.min(limit - position, pieceBytesMax) };
}

/** The parts of a finished log that are kept: what its digest is made of, in order. */
export function keptRanges(cap: LogCap, totalBytes: number): readonly Range[] {
  const gap = gapOf(cap, totalBytes);
  if (gap.start === gap.end) return [{ start: 0, end: totalBytes }];
  return [
    { start: 0, end: gap.start },
    { start: gap.end, end: totalBytes },
  ];
}
