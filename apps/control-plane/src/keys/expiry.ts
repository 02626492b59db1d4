import type { FieldError } from '@muster/protocol';

/** When something shall end, as people say it: a moment, or a time from now. */
export interface ExpiryWish {
  readonly expiresAt?: string;
  readonly expiresInSeconds?: number;
}

export interface ExpiryBounds {
  readonly secondsMax: number;
  /** How the bound reads in a sentence. */
  readonly shownMax: string;
  /** Where neither is said; never, unless told. */
  readonly secondsDefault?: number;
}

export type Expiry = { readonly at: Date | null } | { readonly error: FieldError };

/** @param nowMs by the database's clock, which is also the one that will end it */
export function expiryOf({ expiresAt, expiresInSeconds }: ExpiryWish, nowMs: number, bounds: ExpiryBounds): Expiry {
  if (expiresAt !== undefined && expiresInSeconds !== undefined) {
    return refuse('/expiresInSeconds', 'Give either expiresAt or expiresInSeconds.');
  }
  const seconds = expiresInSeconds ?? (expiresAt === undefined ? bounds.secondsDefault : (Date.parse(expiresAt) - nowMs) / 1_000);
  if (seconds === undefined) return { at: null };
  const pointer = expiresAt === undefined ? '/expiresInSeconds' : '/expiresAt';
  if (seconds <= 0) return refuse(pointer, 'Expected a moment in the future.');
  if (seconds > bounds.secondsMax) return refuse(pointer, `Expected a moment within ${bounds.shownMax}.`);
  return { at: expiresAt === undefined ? new Date(nowMs + seconds * 1_000) : new Date(expiresAt) };
}

function refuse(pointer: string, detail: string): Expiry {
  return { error: { pointer, detail } };
}
