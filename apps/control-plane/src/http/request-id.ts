import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const ids = new WeakMap<IncomingMessage, string>();
/** What a caller may name its request; anything else is replaced, so that no header writes into our log. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** Echoes `X-Request-Id`, or makes one up: the same id stands in the answer, in every problem and in our log. */
export function echoRequestId(request: IncomingMessage, response: ServerResponse): void {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
  ids.set(request, id);
  response.setHeader('X-Request-Id', id);
}

export function requestIdOf(request: IncomingMessage): string {
  return ids.get(request) ?? '';
}
