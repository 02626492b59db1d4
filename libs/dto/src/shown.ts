/** Fields of answers: schema only, nothing is validated on the way out. */
import { ApiProperty } from '@nestjs/swagger';

interface ShownOptions {
  readonly description?: string;
  readonly example?: unknown;
  /** Written as `nullable`; the document's maker turns it into the form of OpenAPI 3.1. */
  readonly nullable?: boolean;
}
type Described = string | ShownOptions;
/** `required: false` for what may be absent. */
type MaybeAbsent = string | (ShownOptions & { readonly required?: false });

export function ShownText(about: Described = {}): PropertyDecorator {
  return ApiProperty({ type: 'string', ...options(about) });
}

export function ShownMoment(about: Described = {}): PropertyDecorator {
  return ApiProperty({ type: 'string', format: 'date-time', example: '2026-11-22T10:00:00.000Z', ...options(about) });
}

export function ShownWhole(about: Described = {}): PropertyDecorator {
  return ApiProperty({ type: 'integer', ...options(about) });
}

export function ShownNumber(about: MaybeAbsent = {}): PropertyDecorator {
  return ApiProperty({ type: 'number', ...options(about) });
}

export function ShownFlag(about: MaybeAbsent = {}): PropertyDecorator {
  return ApiProperty({ type: 'boolean', ...options(about) });
}

export function ShownOneOf(values: readonly string[], about: Described = {}): PropertyDecorator {
  return ApiProperty({ type: 'string', enum: [...values], ...options(about) });
}

export function ShownTexts(about: Described = {}, values?: readonly string[]): PropertyDecorator {
  const items = values === undefined ? { type: 'string' } : { type: 'string', enum: [...values] };
  return ApiProperty({ type: 'array', items, ...options(about) });
}

export function ShownMap(about: Described = {}, valueType: 'string' | 'number' = 'string'): PropertyDecorator {
  return ApiProperty({ type: 'object', additionalProperties: { type: valueType }, ...options(about) });
}

/** Any JSON value. */
export function ShownAny(about: Described = {}): PropertyDecorator {
  return ApiProperty({ type: 'object', additionalProperties: true, ...options(about), ...{ anyJson: true } });
}

export function ShownObject(kind: () => abstract new () => object, about: Described = {}): PropertyDecorator {
  return ApiProperty({ type: () => kind(), ...options(about) });
}

export function ShownList(kind: () => abstract new () => object, about: MaybeAbsent = {}): PropertyDecorator {
  return ApiProperty({ type: () => kind(), isArray: true, ...options(about) });
}

function options<T extends ShownOptions>(about: string | T): T | { readonly description: string } {
  return typeof about === 'string' ? { description: about } : about;
}
