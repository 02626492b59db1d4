/** Fields as the contracts of other systems print them: `int`, `number`, `str`, lists and maps; the name on the wire is the property's. */
import { Decimal, Field, isRecord, Whole } from '@muster/dto';

interface Presence {
  readonly description: string;
  /** Its default is the class's own. */
  readonly isOptional?: boolean;
}

const NUMBER_MAX = Number.MAX_SAFE_INTEGER;
/** What PostgreSQL keeps in an `integer`. */
const COUNT_MAX = 2_147_483_647;
/** Of one text; a body has a limit of its own. */
const TEXT_MAX = 4_096;

/** A JSON number without a fraction, from 0 unless told. */
export function ForeignCount(options: Presence & { readonly min?: number; readonly max?: number }): PropertyDecorator {
  return Whole({ min: 0, max: COUNT_MAX, ...options });
}

/** A JSON number, with or without a fraction, not negative. */
export function ForeignNumber(options: Presence): PropertyDecorator {
  return Decimal({ min: 0, max: NUMBER_MAX, ...options });
}

export function ForeignText(options: Presence & { readonly lengthMin?: number; readonly lengthMax?: number }): PropertyDecorator {
  const { lengthMin = 0, lengthMax = TEXT_MAX } = options;
  const isValid = (value: unknown): boolean => typeof value === 'string' && value.length >= lengthMin && value.length <= lengthMax;
  return Field(options, { type: 'string' }, `text of ${lengthMin} to ${lengthMax} characters`, isValid);
}

export function ForeignTexts(options: Presence): PropertyDecorator {
  const isValid = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string');
  return Field(options, { type: 'array', items: { type: 'string' } }, 'a list of texts', isValid);
}

export function ForeignTextMap(options: Presence): PropertyDecorator {
  const isValid = (value: unknown): boolean => isRecord(value) && Object.values(value).every((item) => typeof item === 'string');
  return Field(options, { type: 'object' }, 'an object of texts', isValid);
}

export function ForeignObject(options: Presence): PropertyDecorator {
  return Field(options, { type: 'object' }, 'an object', isRecord);
}
