/**
 * Small decoders for what the control plane says. Each takes an unknown value and gives back a typed one or throws
 * `BadShape` naming the place. Unknown members are left out, so a newer control plane may say more.
 */
import { isId } from '@muster/protocol';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';

/** A message is not what the protocol says. `at` is a path such as `verdicts[2].kind`. */
export class BadShape extends Error {
  constructor(
    readonly at: string,
    readonly expected: string,
  ) {
    super(`${at === '' ? 'the message' : at}: expected ${expected}`);
    this.name = 'BadShape';
  }
}

export type Decode<T> = (value: unknown, at: string) => T;

export const text: Decode<string> = (value, at) => {
  if (typeof value === 'string') return value;
  throw new BadShape(at, 'a text');
};

export const flag: Decode<boolean> = (value, at) => {
  if (typeof value === 'boolean') return value;
  throw new BadShape(at, 'true or false');
};

/** A finite number, not below `least`. */
export function number(least = Number.NEGATIVE_INFINITY): Decode<number> {
  return (value, at) => {
    if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
    throw new BadShape(at, least === Number.NEGATIVE_INFINITY ? 'a number' : `a number from ${least}`);
  };
}

export function whole(least = 0): Decode<number> {
  return (value, at) => {
    if (Number.isSafeInteger(value) && Number(value) >= least) return Number(value);
    throw new BadShape(at, `a whole number from ${least}`);
  };
}

/** Anything that JSON can carry; for members this agent only passes on. */
export const anything: Decode<unknown> = (value) => value;

export function oneOf<const V extends string>(values: readonly V[]): Decode<V> {
  return (value, at) => {
    const found = values.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    throw new BadShape(at, `one of ${values.join(', ')}`);
  };
}

export const attemptId: Decode<AttemptId> = (value, at) => {
  if (isId('att', value)) return value;
  throw new BadShape(at, 'the id of an attempt');
};

export const jobId: Decode<JobId> = (value, at) => {
  if (isId('job', value)) return value;
  throw new BadShape(at, 'the id of a job');
};

export const workerId: Decode<WorkerId> = (value, at) => {
  if (isId('wkr', value)) return value;
  throw new BadShape(at, 'the id of a worker');
};

export function nullable<T>(decode: Decode<T>): Decode<T | null> {
  return (value, at) => (value === null || value === undefined ? null : decode(value, at));
}

export function optional<T>(decode: Decode<T>): Decode<T | undefined> {
  return (value, at) => (value === null || value === undefined ? undefined : decode(value, at));
}

export function listOf<T>(decode: Decode<T>): Decode<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new BadShape(at, 'a list');
    return value.map((item, index) => decode(item, `${at}[${index}]`));
  };
}

/** An object used as a map from names to values. */
export function mapOf<T>(decode: Decode<T>): Decode<Readonly<Record<string, T>>> {
  return (value, at) => {
    const entries = Object.entries(members(value, at));
    return Object.fromEntries(entries.map(([name, member]) => [name, decode(member, `${at}.${name}`)]));
  };
}

/** An object with these members. Members that decode to `undefined` are left out. */
export function object<T extends object>(decoders: { readonly [K in keyof T]-?: Decode<T[K]> }): Decode<T> {
  return (value, at) => {
    const source = members(value, at);
    const result: Partial<T> = {};
    for (const name of Object.keys(decoders) as (keyof T & string)[]) {
      const member = decoders[name](source[name], at === '' ? name : `${at}.${name}`);
      if (member !== undefined) result[name] = member;
    }
    return result as T;
  };
}

/** Chooses the decoder by the text in the member `kind`. */
export function byKind<T extends { readonly kind: string }>(decoders: {
  readonly [K in T['kind']]: Decode<Extract<T, { readonly kind: K }>>;
}): Decode<T> {
  const kind = oneOf(Object.keys(decoders) as T['kind'][]);
  return (value, at) => decoders[kind(members(value, at)['kind'], at === '' ? 'kind' : `${at}.kind`)](value, at);
}

function members(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new BadShape(at, 'an object');
}
