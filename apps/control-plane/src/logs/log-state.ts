import type { AttemptFacts } from '@muster/domain';
import type { LogStream, LogStreamState } from '@muster/protocol';

/** What is stored of one stream. */
export interface StoredStream {
  readonly stream: LogStream;
  readonly stored_length: number;
  readonly line_count: number;
  /** True when its bytes were kept long enough and are gone; absent when nothing ever was there. */
  readonly is_removed?: boolean;
}

type Ending = Pick<AttemptFacts, 'state' | 'outcome' | 'startedMs' | 'proofs'>;

/**
 * How far a stream has come. With the end of its attempt the worker says how long it is: then it is complete when all of
 * it is stored, and draining until then. Without that word nothing more is promised: what is stored is what there is.
 */
export function toLogState(attempt: Ending, stored: StoredStream): LogStreamState {
  const proof = attempt.proofs[stored.stream];
  return {
    storedLength: stored.stored_length,
    finalLength: proof?.length ?? null,
    sha256: proof?.sha256 ?? null,
    state: stateOf(attempt, stored, proof?.length),
    lineCount: stored.line_count,
  };
}

function stateOf(attempt: Ending, stored: StoredStream, finalLength: number | undefined): LogStreamState['state'] {
  if (stored.is_removed === true) return 'removed';
  if (attempt.state !== 'ended') return 'live';
  // Our own lines need no proof, and what never ran printed nothing.
  if (stored.stream === 'system' || attempt.startedMs === null) return 'complete';
  if (finalLength === undefined) return attempt.outcome === 'lost' || attempt.outcome === 'superseded' ? 'missing' : 'complete';
  return stored.stored_length >= finalLength ? 'complete' : 'draining';
}
