import { AGENT_LOG_STREAMS, ID_PREFIXES, isId } from '@muster/protocol';
import type { AttemptId, LogStream } from '@muster/protocol';
import { invalidRequest } from '../http/refusal.js';

/** Where a follower stands: everything before these offsets of this attempt was delivered. */
export interface FollowPlace {
  readonly attemptId: AttemptId;
  readonly offsets: ReadonlyMap<LogStream, number>;
}

/** `att_…:output:1234`; with separate streams one pair after the other: `att_…:stdout:10:stderr:20`. */
export function formatPlace(place: FollowPlace): string {
  return [place.attemptId, ...[...place.offsets].flatMap(([stream, offset]) => [stream, String(offset)])].join(':');
}

/** Null when nothing was delivered yet. */
export function parsePlace(text: string | undefined): FollowPlace | null {
  if (text === undefined || text === '') return null;
  const [attemptId, ...pairs] = text.split(':');
  const offsets = new Map<LogStream, number>();
  for (let at = 0; at < pairs.length; at += 2) {
    const stream = [...AGENT_LOG_STREAMS, 'system' as const].find((name) => name === pairs[at]);
    const offset = pairs[at + 1] ?? '';
    if (stream === undefined || !/^\d{1,15}$/.test(offset)) throw badPlace(text);
    offsets.set(stream, Number(offset));
  }
  if (!isId(ID_PREFIXES.attempt, attemptId) || offsets.size === 0) throw badPlace(text);
  return { attemptId, offsets };
}

function badPlace(text: string): Error {
  const detail = `Expected the id of an event of this stream in Last-Event-ID, got ${JSON.stringify(text.slice(0, 100))}.`;
  return invalidRequest([{ pointer: '', detail }]);
}
