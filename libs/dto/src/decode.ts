/**
 * From parsed JSON (or a query) to an instance of one of our classes, or to every complaint at once with its place.
 * The shape guard must have run before: class-transformer takes seconds for a few hundred thousand keys.
 */
import type { FieldError } from '@muster/protocol';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';
import { isFlawless } from './flawless.js';
import { nearest } from './nearest.js';
import { isRecord, shown } from './values.js';

export type Kind<T extends object> = new () => T;
export type Decoded<T> = { readonly value: T } | { readonly errors: readonly FieldError[] };

/** Complaints listed in one answer; more would only hide the first. */
const ERRORS_MAX = 50;

export interface DecodeOptions {
  /** Turns the path of a field into the pointer of its complaint; default: a JSON pointer into the body. */
  readonly place?: (path: readonly string[]) => string;
  /** Fields the class does not know: a complaint each (the default), or left out without a word. */
  readonly unknownFields?: 'refused' | 'ignored';
}

export function decode<T extends object>(kind: Kind<T>, plain: unknown, options: DecodeOptions = {}): Decoded<T> {
  const { place = toPointer, unknownFields = 'refused' } = options;
  if (!isRecord(plain)) return { errors: [{ pointer: '', detail: `Expected an object, got ${shown(plain)}.` }] };
  const value = plainToInstance(kind, plain);
  if (isFlawless(value)) return { value };
  const found = validateSync(value, {
    whitelist: true,
    forbidNonWhitelisted: unknownFields === 'refused',
    forbidUnknownValues: true,
    validationError: { target: true, value: false },
  });
  if (found.length === 0) return { value };
  return { errors: found.flatMap((error) => toFieldErrors(error, [], place)).slice(0, ERRORS_MAX) };
}

/** RFC 6901. */
export function toPointer(path: readonly string[]): string {
  return path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** A query's fields are named as they stand in the URL. */
export function toQueryName(path: readonly string[]): string {
  return `?${path.join('.')}`;
}

function toFieldErrors(error: ValidationError, above: readonly string[], place: typeof toPointer): FieldError[] {
  const path = [...above, error.property];
  const own = Object.entries(error.constraints ?? {})
    // Every nested field also has a rule of ours, whose sentence says more.
    .filter(([rule]) => rule !== 'nestedValidation')
    .map(([rule, sentence]) => ({
      pointer: place(path),
      detail: rule === 'whitelistValidation' ? unknownField(error) : sentence,
    }));
  return [...own, ...(error.children ?? []).flatMap((child) => toFieldErrors(child, path, place))];
}

function unknownField(error: ValidationError): string {
  const known = error.target === undefined ? [] : fieldsOf(error.target);
  const near = nearest(error.property, known);
  if (near !== undefined) return `Unknown field ${shown(error.property)}. Did you mean \`${near}\`?`;
  return `Unknown field ${shown(error.property)}. Known here: ${known.join(', ')}.`;
}

/** The names a caller may use in an object of this class, those we only refuse left out. */
function fieldsOf(target: object): string[] {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(target.constructor, '', false, false);
  const unsupported = new Set(metadata.filter((rule) => rule.name === 'unsupported').map((rule) => rule.propertyName));
  return [...new Set(metadata.map((rule) => rule.propertyName))].filter((name) => !unsupported.has(name)).sort();
}
