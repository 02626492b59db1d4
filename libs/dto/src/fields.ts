/**
 * The few kinds of fields our bodies are made of. Each is one decorator that is validation, sentence and OpenAPI schema
 * at once, so that the three cannot disagree. A value that does not fit is answered with what was expected and what came.
 */
import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { isMoment, toMoment } from './moments.js';
import { hasBytes, isRecord, shown } from './values.js';

interface FieldOptions {
  readonly description: string;
  readonly example?: unknown;
  /** May be left out. `null` is not "left out": it is refused with a sentence that says so. */
  readonly isOptional?: boolean;
}

type Schema = Readonly<Record<string, unknown>>;

/** One rule with one sentence. `expected` completes "Expected …". */
export function Expect(name: string, expected: string, isValid: (value: unknown) => boolean): PropertyDecorator {
  return ValidateBy(
    { name, validator: { validate: (value: unknown) => isValid(value) } },
    { message: (found) => `Expected ${expected}, got ${shown(found.value)}.` },
  );
}

/** Any kind of field: its schema, its rule, and whether it may be left out. */
export function Field(
  options: FieldOptions,
  schema: Schema,
  expected: string,
  isValid: (value: unknown) => boolean,
): PropertyDecorator {
  return applyDecorators(
    ...presence(options),
    ApiProperty(documented(options, schema)),
    Expect('field', expected, isValid),
  );
}

/** A field whose refusal depends on what is wrong with it. `complaintOf` answers a whole sentence, or null where nothing is. */
export function Judged(options: FieldOptions, schema: Schema, complaintOf: (value: unknown) => string | null): PropertyDecorator {
  return applyDecorators(
    ...presence(options),
    ApiProperty(documented(options, schema)),
    ValidateBy(
      { name: 'judged', validator: { validate: (value: unknown) => complaintOf(value) === null } },
      { message: (found) => complaintOf(found.value) ?? '' },
    ),
  );
}

export function Text(options: FieldOptions & { readonly bytesMin?: number; readonly bytesMax: number }): PropertyDecorator {
  const { bytesMin = 1, bytesMax } = options;
  return Field(
    options,
    { type: 'string', minLength: bytesMin, maxLength: bytesMax },
    `text of ${bytesMin} to ${bytesMax} bytes`,
    (value) => hasBytes(value, bytesMin, bytesMax),
  );
}

/** RFC 3339 with a zone; arrives in UTC. */
export function Moment(options: FieldOptions): PropertyDecorator {
  return applyDecorators(
    Field(options, { type: 'string', format: 'date-time' }, 'a moment as in 2027-01-01T00:00:00Z', isMoment),
    Transform(({ value }) => toMoment(value) ?? value),
  );
}

export function Whole(options: FieldOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const { min, max } = options;
  return Field(
    options,
    { type: 'integer', minimum: min, maximum: max },
    `a whole number from ${min} to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  );
}

export function Decimal(options: FieldOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const { min, max } = options;
  return Field(
    options,
    { type: 'number', minimum: min, maximum: max },
    `a number from ${min} to ${max}`,
    (value) => typeof value === 'number' && value >= min && value <= max,
  );
}

export function Flag(options: FieldOptions): PropertyDecorator {
  return Field(options, { type: 'boolean' }, 'true or false', (value) => typeof value === 'boolean');
}

export function OneOf(values: readonly string[], options: FieldOptions): PropertyDecorator {
  return Field(
    options,
    { type: 'string', enum: [...values] },
    `one of ${values.join(', ')}`,
    (value) => typeof value === 'string' && values.includes(value),
  );
}

/** Name → text. Names match `namePattern`; values may be empty. */
export function TextMap(
  options: FieldOptions & {
    readonly namePattern: RegExp;
    readonly nameRule: string;
    readonly entriesMax: number;
    readonly bytesMax: number;
  },
): PropertyDecorator {
  const { namePattern, nameRule, entriesMax, bytesMax } = options;
  const schema = { type: 'object', additionalProperties: { type: 'string', maxLength: bytesMax }, maxProperties: entriesMax };
  return Judged(options, schema, (value) => mapComplaint(value, namePattern, nameRule, entriesMax, bytesMax));
}

/** The value is never quoted: variables may hold secrets. */
function mapComplaint(
  value: unknown,
  namePattern: RegExp,
  nameRule: string,
  entriesMax: number,
  bytesMax: number,
): string | null {
  if (!isRecord(value)) return `Expected an object of names and texts, got ${shown(value)}.`;
  const entries = Object.entries(value);
  if (entries.length > entriesMax) return `Expected at most ${entriesMax} entries, got ${entries.length}.`;
  for (const [name, text] of entries) {
    if (!namePattern.test(name)) return `Expected names that are ${nameRule}, got ${shown(name)}.`;
    if (typeof text !== 'string') return `Expected a text as the value of ${shown(name)}, got ${typeof text}.`;
    if (!hasBytes(text, 0, bytesMax)) return `Expected a value of at most ${bytesMax} bytes for ${shown(name)}.`;
  }
  return null;
}

/** An object of its own class. */
export function Nested(kind: () => abstract new () => object, options: FieldOptions): PropertyDecorator {
  return applyDecorators(
    ...presence(options),
    // Swagger knows a late type by this very name.
    ApiProperty({ type: () => kind(), required: options.isOptional !== true, description: options.description }),
    Expect('object', 'an object', isRecord),
    ValidateNested(),
    Type(kind),
  );
}

/** A list of objects of one class. */
export function ListOf(kind: () => new () => object, itemsMax: number, options: FieldOptions & { readonly itemsMin?: number }): PropertyDecorator {
  const { itemsMin = 0, description, isOptional } = options;
  return applyDecorators(
    ...presence(options),
    ApiProperty({ type: () => kind(), isArray: true, minItems: itemsMin, maxItems: itemsMax, required: isOptional !== true, description }),
    Expect('list', `a list of ${itemsMin} to ${itemsMax} objects`, (value) => Array.isArray(value) && value.length >= itemsMin && value.length <= itemsMax && value.every(isRecord)),
    ValidateNested({ each: true }),
    Type(kind),
  );
}

/** A field of the design that this version does not carry out: refused, because ignoring it would run something else. */
export function Unsupported(name: string): PropertyDecorator {
  return applyDecorators(
    ValidateIf((_object, value) => value !== undefined),
    ValidateBy(
      { name: 'unsupported', validator: { validate: () => false } },
      { message: `\`${name}\` is not supported by this version of Muster. Leave it out.` },
    ),
  );
}

function presence(options: FieldOptions): PropertyDecorator[] {
  return options.isOptional === true ? [ValidateIf((_object, value) => value !== undefined)] : [];
}

function documented(options: FieldOptions, schema: Schema): Schema & { required: boolean } {
  const { description, example, isOptional } = options;
  return { description, required: isOptional !== true, ...(example === undefined ? {} : { example }), ...schema };
}
