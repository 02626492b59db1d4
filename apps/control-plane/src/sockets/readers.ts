/** Small readers of unknown values: each returns the value as what it must be, or throws saying where and what was expected. */
import { isId, type IdPrefix, type toId } from '@muster/protocol';
import { InvalidMessage } from './invalid-message.js';

export type Fields = Readonly<Record<string, unknown>>;
export type Reader<T> = (value: unknown, at: string) => T;

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'an array' : 'an object') : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function refuse(at: string, expected: string, value: unknown): never {
  throw new InvalidMessage(at, `expected ${expected}, found ${found(value)}`);
}

export function readObject(value: unknown, at: string): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
    ? (value as Fields)
    : refuse(at, 'an object', value);
}

export function readText(maxLength: number): Reader<string> {
  return (value, at) =>
    typeof value === 'string' && value.length <= maxLength ? value : refuse(at, `a text of at most ${maxLength} characters`, value);
}

export function readInteger(min: number, max: number): Reader<number> {
  return (value, at) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : refuse(at, `a whole number from ${min} to ${max}`, value);
}

export const readNumber: Reader<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(at, 'a number', value);

export const readFlag: Reader<boolean> = (value, at) => (typeof value === 'boolean' ? value : refuse(at, 'true or false', value));

/**
 * An RFC 3339 moment of the years 1 to 9999, in the one form that PostgreSQL and JavaScript read alike (JavaScript alone
 * also takes the 30th of February).
 */
export const readMoment: Reader<string> = (value, at) => {
  const moment = typeof value === 'string' && value.length <= 40 && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : new Date(Number.NaN);
  const year = moment.getUTCFullYear();
  return year >= 1 && year <= 9_999 ? moment.toISOString() : refuse(at, 'a moment such as 2026-01-31T12:00:00.000Z', value);
};

export function readOneOf<const V extends string>(values: readonly V[]): Reader<V> {
  return (value, at) => values.find((one) => one === value) ?? refuse(at, `one of ${values.join(', ')}`, value);
}

export function readId<K extends IdPrefix>(prefix: K): Reader<ReturnType<typeof toId<K>>> {
  return (value, at) => (isId(prefix, value) ? value : refuse(at, `an id beginning with ${prefix}_`, value));
}

export function readNullable<T>(reader: Reader<T>): Reader<T | null> {
  return (value, at) => (value === null || value === undefined ? null : reader(value, at));
}

export function readOptional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, at) => (value === null || value === undefined ? undefined : reader(value, at));
}

export function readList<T>(reader: Reader<T>, maxLength: number): Reader<T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length > maxLength) return refuse(at, `a list of at most ${maxLength} entries`, value);
    return value.map((one: unknown, index) => reader(one, `${at}[${index}]`));
  };
}

export function readRecord<T>(reader: Reader<T>, maxEntries: number): Reader<Record<string, T>> {
  return (value, at) => {
    const entries = Object.entries(readObject(value, at));
    if (entries.length > maxEntries) return refuse(at, `at most ${maxEntries} entries`, value);
    return Object.fromEntries(entries.map(([key, one]) => [key, reader(one, `${at}.${key}`)]));
  };
}
