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

/** How much of a stream is on its way. */
export interface Traffic {
  /** The piece is as large as pieces become, or the last. */
  readonly isWhole: boolean;
  /** Where the server stands is not known yet. */
  readonly isProbing: boolean;
  readonly inFlight: number;
  readonly inFlightMax: number;
  /** Since the last piece was sent, milliseconds. */
  readonly sinceSentMs: number;
}

/** Parts of chunks on their way at once, and the least time from one to the next while others are. */
const PARTS_IN_FLIGHT_MAX = 4;
const PART_INTERVAL_MS = 20;

/**
 * How long the next piece waits, milliseconds; Infinity: for an answer. New lines go at once when nothing is on its way, and
 * otherwise soon: on a slow or busy control plane the pieces grow instead of becoming many.
 */
export function pauseBefore({ isWhole, isProbing, inFlight, inFlightMax, sinceSentMs }: Traffic): number {
  if (inFlight === 0) return 0;
  if (isProbing || inFlight >= inFlightMax) return Infinity;
  if (isWhole) return 0;
  return inFlight < PARTS_IN_FLIGHT_MAX ? Math.max(0, PART_INTERVAL_MS - sinceSentMs) : Infinity;
}
