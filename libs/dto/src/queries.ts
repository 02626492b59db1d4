/** Fields of a URL's query: everything arrives as text, and a name given twice arrives as a list, which no rule accepts. */
import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateIf } from 'class-validator';
import { Expect } from './fields.js';
import { isMoment, toMoment } from './moments.js';
import { hasBytes } from './values.js';

interface QueryOptions {
  readonly description: string;
  readonly example?: unknown;
}

/** `?name=50` */
export function QueryWhole(options: QueryOptions & { readonly min: number; readonly max: number }): PropertyDecorator {
  const { min, max, ...rest } = options;
  return Query(
    { ...rest, type: 'integer', minimum: min, maximum: max },
    (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text),
    `a whole number from ${min} to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  );
}

/** `?follow=true` */
export function QueryFlag(options: QueryOptions): PropertyDecorator {
  const words: Readonly<Record<string, boolean>> = { true: true, false: false };
  return Query(
    { ...options, type: 'boolean' },
    (text) => words[text] ?? text,
    'true or false',
    (value) => typeof value === 'boolean',
  );
}

/** `?q=text` */
export function QueryText(options: QueryOptions & { readonly bytesMax: number }): PropertyDecorator {
  const { bytesMax, ...rest } = options;
  return Query(
    { ...rest, type: 'string', maxLength: bytesMax },
    (text) => text,
    `text of 1 to ${bytesMax} bytes`,
    (value) => hasBytes(value, 1, bytesMax),
  );
}

/** `?stream=output` */
export function QueryOneOf(values: readonly string[], options: QueryOptions): PropertyDecorator {
  return Query(
    { ...options, type: 'string', enum: [...values] },
    (text) => text,
    `one of ${values.join(', ')}`,
    (value) => typeof value === 'string' && values.includes(value),
  );
}

/** `?status=queued,running` */
export function QuerySomeOf(values: readonly string[], options: QueryOptions): PropertyDecorator {
  return Query(
    { ...options, type: 'string' },
    (text) => [...new Set(text.split(','))],
    `some of ${values.join(', ')}, separated by commas`,
    (value) => Array.isArray(value) && value.every((word) => values.includes(word)),
  );
}

/** `?createdAfter=2026-11-22T10:00:00Z`; arrives in UTC. */
export function QueryMoment(options: QueryOptions): PropertyDecorator {
  return Query(
    { ...options, type: 'string', format: 'date-time' },
    (text) => toMoment(text) ?? text,
    'a moment as in 2026-11-22T10:00:00Z',
    isMoment,
  );
}

/** Text that some rule reads; `parse` may return it changed. */
export function Query(
  schema: Readonly<Record<string, unknown>>,
  parse: (text: string) => unknown,
  expected: string,
  isValid: (value: unknown) => boolean,
): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ required: false, ...schema }),
    ValidateIf((_object, value) => value !== undefined),
    Expect('query', expected, isValid),
    Transform(({ value }) => (typeof value === 'string' ? parse(value) : value)),
  );
}
