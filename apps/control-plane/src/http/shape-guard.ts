/**
 * Looks at the shape of parsed JSON before anything is built from it: class-transformer takes seconds for a few hundred
 * thousand keys and overflows the stack on deep ones, and PostgreSQL takes no NUL. Used on REST bodies and on every
 * socket message. Never recurses, and stops at the first complaint.
 */
import { LIMITS } from '@muster/protocol';

export interface ShapeComplaint {
  /** JSON pointer to where it was noticed. */
  readonly pointer: string;
  readonly detail: string;
}

/** Items of all lists together. */
export const JSON_ITEMS_MAX = 20_000;

export interface ShapeLimits {
  readonly depthMax: number;
  /** Names in all objects together. */
  readonly keysMax: number;
  /** Items of all lists together. */
  readonly itemsMax: number;
  readonly forbiddenNames: ReadonlySet<string>;
  /** Texts may hold NUL and halves of surrogate pairs: they are kept as bytes, and never as text of the database. */
  readonly takesAnyText?: boolean;
}

/** Of REST bodies, from which classes are made: names that reach a prototype when an object is copied are forbidden. */
export const BODY_LIMITS: ShapeLimits = {
  depthMax: LIMITS.jsonDepthMax,
  keysMax: LIMITS.jsonKeysMax,
  itemsMax: JSON_ITEMS_MAX,
  forbiddenNames: new Set(['__proto__', 'constructor', 'prototype']),
};

interface Visit {
  readonly value: unknown;
  readonly depth: number;
  readonly above: Visit | null;
  readonly name: string | number;
}

/** Null when the shape is harmless. Binary parts (a log chunk's bytes) are not looked into. */
export function checkShape(root: unknown, limits: ShapeLimits = BODY_LIMITS): ShapeComplaint | null {
  const counts = { keys: 0, items: 0 };
  const open: Visit[] = [{ value: root, depth: 1, above: null, name: '' }];
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const sentence = complaintAbout(visit, limits, counts, open);
    if (sentence !== null) return { pointer: pointerOf(visit), detail: sentence };
  }
  return null;
}

function complaintAbout(visit: Visit, limits: ShapeLimits, counts: { keys: number; items: number }, open: Visit[]): string | null {
  const { value, depth } = visit;
  if (typeof value === 'string') return limits.takesAnyText === true ? null : complaintAboutText(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return null;
  if (depth > limits.depthMax) return `Expected at most ${limits.depthMax} levels of nesting.`;
  if (Array.isArray(value)) {
    counts.items += value.length;
    if (counts.items > limits.itemsMax) return `Expected at most ${limits.itemsMax} items in all lists together.`;
    value.forEach((item, index) => open.push({ value: item, depth: depth + 1, above: visit, name: index }));
    return null;
  }
  for (const [name, item] of Object.entries(value)) {
    counts.keys += 1;
    if (counts.keys > limits.keysMax) return `Expected at most ${limits.keysMax} names in all objects together.`;
    if (limits.forbiddenNames.has(name)) return `The name \`${name}\` is not allowed.`;
    const sentence = complaintAboutText(name);
    if (sentence !== null) return sentence;
    open.push({ value: item, depth: depth + 1, above: visit, name });
  }
  return null;
}

/** Half of a surrogate pair: no character, and no byte sequence in UTF-8. */
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function complaintAboutText(text: string): string | null {
  if (text.includes('\0')) return 'Expected text without the character NUL (U+0000).';
  if (LONE_SURROGATE.test(text)) return 'Expected well-formed text: half of a surrogate pair stands alone.';
  return null;
}

function pointerOf(visit: Visit): string {
  const path: string[] = [];
  for (let at: Visit = visit; at.above !== null; at = at.above) path.unshift(String(at.name));
  return path.map((name) => `/${name.slice(0, 80).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
