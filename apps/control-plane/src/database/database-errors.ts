import { types } from 'node:util';
import { LaneClosed, LaneFull } from '@muster/runtime';

/**
 * PostgreSQL cannot be reached, or went away while it was asked. What was being stored may or may not have been: the
 * caller has no acknowledgement and may send the same thing again. REST answers 503, the agent's socket `unavailable`.
 */
export class DatabaseUnavailable extends Error {
  readonly code = 'unavailable';
  readonly retryAfterMs = 1_000;
  constructor(cause: unknown) {
    // The error of the driver carries its whole connection: its words are enough, and end up in logs.
    super(`PostgreSQL cannot be reached: ${cause instanceof Error && cause.message !== '' ? cause.message : 'no answer'}.`);
    this.name = 'DatabaseUnavailable';
  }
}

/** A stored row was not as it was loaded although it was locked: a bug, or a hand with a SQL prompt. Nothing was stored. */
export class GuardFailed extends Error {
  readonly code = 'guardFailed';
  constructor(table: string, expected: number, stored: number) {
    super(`Only ${stored} of ${expected} rows of ${table} were still as they had been loaded.`);
    this.name = 'GuardFailed';
  }
}

/** How a statement says that its guards failed: it casts a text that begins so to a number, which fails it. */
const GUARD_WORDS = /"guard: (\d+) of (\d+) rows of (\w+)/;

/** A guard that was asked for in SQL, so that a commit sent behind it commits nothing. */
function failedGuard(error: unknown): GuardFailed | undefined {
  if (!isDataFault(error)) return undefined;
  const [, stored, expected, table] = GUARD_WORDS.exec((error as Error).message) ?? [];
  return table === undefined ? undefined : new GuardFailed(table, Number(expected), Number(stored));
}

/** Errors of the network and of a server that is starting, stopping or full. */
const AWAY_CODES = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT', 'EAGAIN',
  '57P01', '57P02', '57P03', '53300', '57P05', '25P03', '25006',
]);

/** Messages of `pg` that come without a code. */
const AWAY_MESSAGES = [
  'Connection terminated', 'timeout expired', 'timeout exceeded when trying to connect', 'Client has encountered a connection error', 'Query read timeout',
  'Client was closed and is not queryable', 'connection is closed',
];

/** Whether the fault is the connection's and not the statement's. */
export function isAway(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  if (error instanceof AggregateError) return error.errors.some(isAway);
  // Not `instanceof`: an error of the network may come from another realm, as under Jest.
  if (!types.isNativeError(error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return AWAY_CODES.has(code) || code.startsWith('08') || AWAY_MESSAGES.some((text) => error.message.includes(text));
}

/** PostgreSQL's five characters for what went wrong, where it was PostgreSQL that said so. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * PostgreSQL cannot keep a value of what was given (class 22): a number or moment out of range, a text that is none. Sent
 * again unchanged it fails again, so of one item alone it is that item's fault.
 */
export function isDataFault(error: unknown): boolean {
  return /^22[0-9A-Z]{3}$/.test(errorCodeOf(error) ?? '');
}

/**
 * Another transaction stored the same at the same moment (23505), or each waited for the other (40P01). Nothing of this one
 * is stored; done again, it finds what the other left.
 */
export function isLostRace(error: unknown): boolean {
  return ['23505', '40P01'].includes(errorCodeOf(error) ?? '');
}

/**
 * PostgreSQL has no disk space, memory or other resource left (53000, 53100, 53200). Nothing of the transaction is stored, and
 * nothing will be until somebody makes room; what only reads goes on.
 */
export function isExhausted(error: unknown): boolean {
  return ['53000', '53100', '53200'].includes(errorCodeOf(error) ?? '');
}

/** PostgreSQL broke the statement off after our own limit (57014): it is too busy, or something holds a lock. Nothing of it is stored. */
export function isTooSlow(error: unknown): boolean {
  return errorCodeOf(error) === '57014';
}

/** True for every refusal that says "not now": the caller may try again unchanged. */
export function isUnavailable(error: unknown): boolean {
  return isAway(error) || isExhausted(error) || error instanceof LaneFull || error instanceof LaneClosed;
}

export function toDatabaseError(error: unknown): unknown {
  if (isAway(error) && !(error instanceof DatabaseUnavailable)) return new DatabaseUnavailable(error);
  return failedGuard(error) ?? error;
}
