/** How people name a thing that has an id and a name. Pure. */
import { isId } from '@muster/protocol';
import { EXIT } from './exit-codes.js';
import { Failure, usageFailure } from './failure.js';

export type ThingReference =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'name'; readonly name: string };

const BODY = /^[0-9A-HJKMNP-TV-Z]{1,26}$/;

/** Reads a reference by its form alone. Ids may be typed in any case, and without their prefix when long enough to tell. */
export function readReference(text: string, idPrefix: 'job' | 'wkr'): ThingReference {
  const hasPrefix = text.toLowerCase().startsWith(`${idPrefix}_`);
  const body = (hasPrefix ? text.slice(idPrefix.length + 1) : text).toUpperCase();
  const id = `${idPrefix}_${body}`;
  if (isId(idPrefix, id)) return { kind: 'id', id };
  // Every id of this century begins with 01: a bare word that does not is a name.
  const isPrefix = BODY.test(body) && (hasPrefix || /^01[0-9A-Z]{4,}$/.test(body));
  return isPrefix ? { kind: 'prefix', prefix: id } : { kind: 'name', name: text };
}

export const CANDIDATES_SHOWN = 5;

interface Named {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

/** The one that is meant. Fails, naming the candidates, when none or several could be. */
export function onlyOne<T extends Named>(text: string, found: readonly T[], words: { readonly noun: string; readonly list: string }): T {
  const [first] = found;
  const { noun, list } = words;
  if (first === undefined) {
    throw new Failure({
      code: 'notFound',
      exitCode: EXIT.notFound,
      what: `There is no ${noun} ${JSON.stringify(text)}.`,
      why: `No id begins so and no ${noun} has this name.`,
      next: `List all ${noun}s: ${list}`,
    });
  }
  if (found.length === 1) return first;
  const shown = found.slice(0, CANDIDATES_SHOWN).map(({ id, name, status }) => `${id} (${name}, ${status})`);
  const more = found.length > CANDIDATES_SHOWN ? ', …' : '';
  throw usageFailure(
    `Several ${noun}s could be meant by ${JSON.stringify(text)}.`,
    'Name one by its id.',
    `${shown.join(', ')}${more}`,
  );
}

/** The first of these that fit, one more than are shown. */
export async function firstOf<T>(items: AsyncIterable<T>, fits: (item: T) => boolean = () => true): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) {
    if (fits(item)) found.push(item);
    if (found.length > CANDIDATES_SHOWN) break;
  }
  return found;
}
