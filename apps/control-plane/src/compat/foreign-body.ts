import { decode, isRecord, shown } from '@muster/dto';
import type { Kind } from '@muster/dto';
import { ForeignRefusal } from './foreign-refusal.js';

/**
 * The class made of a body, with its defaults; what it does not know is ignored. Refused with every complaint at once, each
 * under the field's name on the wire.
 *
 * @param status what the system answers to a body that does not fit
 */
export function readForeign<T extends object>(kind: Kind<T>, body: unknown, status: 400 | 422): T {
  const decoded = decode(kind, body, { place: (path) => path.join('.'), unknownFields: 'ignored' });
  if ('value' in decoded) return decoded.value;
  const complaints = decoded.errors.map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer}: ${detail}`));
  throw new ForeignRefusal(status, complaints.join(' '));
}

/** The body, once it is an object of whatever fields. */
export function objectOf(body: unknown, status: 400 | 422): Readonly<Record<string, unknown>> {
  if (isRecord(body)) return body;
  throw new ForeignRefusal(status, `Expected an object, got ${shown(body)}.`);
}
