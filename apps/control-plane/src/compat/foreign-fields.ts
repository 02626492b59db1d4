/** Fields as the contracts of other systems print them: `int`, `number`, `str`, lists and maps; the name on the wire is the property's. */
import { Decimal, Field, isRecord, Whole } from '@muster/dto';
import { LIMITS } from '@muster/protocol';

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

/** Unbounded where the body's own limit is the only one that makes sense: lines of a log. */
export function ForeignTexts(options: Presence & { readonly itemsMax?: number; readonly lengthMax?: number }): PropertyDecorator {
  const { itemsMax = Infinity, lengthMax = Infinity } = options;
  const isText = (item: unknown): boolean => typeof item === 'string' && item.length <= lengthMax;
  const isValid = (value: unknown): boolean => Array.isArray(value) && value.length <= itemsMax && value.every(isText);
  const rule = itemsMax === Infinity ? 'a list of texts' : `a list of at most ${itemsMax} texts of at most ${lengthMax} characters each`;
  return Field(options, { type: 'array', items: { type: 'string' } }, rule, isValid);
}

/** As many entries, and as many bytes of one, as our own labels have. */
export function ForeignTextMap(options: Presence): PropertyDecorator {
  const { labelsMax, labelBytesMax } = LIMITS;
  const isEntry = ([name, text]: [string, unknown]): boolean => typeof text === 'string' && Buffer.byteLength(name) <= labelBytesMax && Buffer.byteLength(text) <= labelBytesMax;
  const isValid = (value: unknown): boolean => isRecord(value) && Object.keys(value).length <= labelsMax && Object.entries(value).every(isEntry);
  return Field(options, { type: 'object' }, `an object of at most ${labelsMax} texts of at most ${labelBytesMax} bytes each`, isValid);
}

export function ForeignObject(options: Presence & { readonly bytesMax: number }): PropertyDecorator {
  const isValid = (value: unknown): boolean => isRecord(value) && Buffer.byteLength(JSON.stringify(value)) <= options.bytesMax;
  return Field(options, { type: 'object' }, `an object of at most ${options.bytesMax} bytes`, isValid);
}
