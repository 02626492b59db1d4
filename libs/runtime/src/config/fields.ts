import { formatDuration, parseDurationMs } from './duration.js';

/** What reading one variable gave: its value, or what was expected instead. */
export type Parsed<T> = { readonly value: T } | { readonly expected: string };

/** One declared variable: its name, what it means, and how its text becomes a value. */
export interface Field<T> {
  readonly name: string;
  /** One sentence for `.env.example` and the documents. */
  readonly about: string;
  /** What a valid text looks like, for complaints: "a whole number from 0 to 65535". */
  readonly expected: string;
  /** Secrets may come as `NAME_FILE`, and what was found is never repeated in a complaint. */
  readonly isSecret: boolean;
  /** `required` when there must be a text, otherwise the value without one. */
  readonly fallback: 'required' | { readonly value: T };
  readonly parse: (text: string) => Parsed<T>;
}

/** The type of the config object that a schema reads. */
export type ConfigOf<S extends Schema> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };
export type Schema = Readonly<Record<string, Field<unknown>>>;

interface Common {
  readonly about: string;
}
/** Without `default` or `optional` the variable must be set. */
interface WithDefault<T> extends Common {
  readonly default?: T;
  readonly optional?: boolean;
}
/** An optional variable without a default may be `undefined` in the config. */
type FieldFor<T, O> = O extends { readonly optional: true } ? Field<T | undefined> : Field<T>;

interface Kind<T> {
  readonly name: string;
  readonly options: WithDefault<T>;
  readonly expected: string;
  readonly parse: (text: string) => T | undefined;
  readonly isSecret?: boolean;
}

function build<T, O extends WithDefault<T>>(kind: Kind<T>): FieldFor<T, O> {
  const { name, options, expected } = kind;
  const hasFallback = options.optional === true || options.default !== undefined;
  const field: Field<T | undefined> = {
    name,
    about: options.about,
    expected,
    isSecret: kind.isSecret ?? false,
    fallback: hasFallback ? { value: options.default } : 'required',
    parse: (text) => {
      const value = kind.parse(text);
      return value === undefined ? { expected } : { value };
    },
  };
  return field as FieldFor<T, O>;
}

/** Any text that is not empty. */
export function text<const O extends WithDefault<string>>(name: string, options: O): FieldFor<string, O> {
  return build<string, O>({ name, options, expected: 'a text', parse: (found) => found });
}

/** A text that is masked in complaints and may come from the file named by `NAME_FILE` (trailing line ends are cut). */
export function secret<const O extends WithDefault<string>>(name: string, options: O): FieldFor<string, O> {
  const expected = `a secret, or ${name}_FILE with the path of a file that holds it`;
  return build<string, O>({ name, options, expected, isSecret: true, parse: (found) => found });
}

/** A whole number within its bounds, both included. */
export function integer<const O extends WithDefault<number> & { min: number; max: number }>(
  name: string,
  options: O,
): FieldFor<number, O> {
  const { min, max } = options;
  const parse = (found: string): number | undefined => {
    const value = Number(found);
    return /^[+-]?\d+$/.test(found) && value >= min && value <= max ? value : undefined;
  };
  return build<number, O>({ name, options, expected: `a whole number from ${min} to ${max}`, parse });
}

/** A span of time, read as milliseconds: `300ms`, `4s`, `5m`, or bare seconds. Bounds and default are milliseconds. */
export function duration<const O extends WithDefault<number> & { minMs?: number; maxMs?: number }>(
  name: string,
  options: O,
): FieldFor<number, O> {
  const { minMs = 0, maxMs = Number.MAX_SAFE_INTEGER } = options;
  const least = options.minMs === undefined ? '' : `, at least ${formatDuration(options.minMs)}`;
  const most = options.maxMs === undefined ? '' : `, at most ${formatDuration(options.maxMs)}`;
  const parse = (found: string): number | undefined => {
    const value = parseDurationMs(found);
    return value !== undefined && value >= minMs && value <= maxMs ? value : undefined;
  };
  return build<number, O>({ name, options, expected: `a duration such as 4s, 5m or 300ms${least}${most}`, parse });
}

const TRUE = ['1', 'true', 'yes', 'on'];
const FALSE = ['0', 'false', 'no', 'off'];

export function flag<const O extends WithDefault<boolean>>(name: string, options: O): FieldFor<boolean, O> {
  const parse = (found: string): boolean | undefined => {
    const word = found.toLowerCase();
    if (TRUE.includes(word)) return true;
    return FALSE.includes(word) ? false : undefined;
  };
  return build<boolean, O>({ name, options, expected: 'true or false', parse });
}

/** One word of a closed list. */
export function oneOf<const V extends string, const O extends WithDefault<V>>(
  name: string,
  values: readonly V[],
  options: O,
): FieldFor<V, O> {
  const parse = (found: string): V | undefined => values.find((value) => value === found);
  return build<V, O>({ name, options, expected: `one of ${values.join(', ')}`, parse });
}

/** Words separated by commas; spaces around them and empty words are dropped. With `values`, each must be one of them. */
export function list<const V extends string, const O extends WithDefault<readonly V[]> & { values?: readonly V[] }>(
  name: string,
  options: O,
): FieldFor<readonly V[], O> {
  const known: readonly string[] | undefined = options.values;
  const parse = (found: string): readonly V[] | undefined => {
    const words = found.split(',').flatMap((word) => word.trim() || []);
    return known && !words.every((word) => known.includes(word)) ? undefined : (words as V[]);
  };
  const expected = known ? `a comma-separated list of ${known.join(', ')}` : 'a comma-separated list';
  return build<readonly V[], O>({ name, options, expected, parse });
}

/** An absolute address with one of the given schemes (`http:` and `https:` unless told). Credentials in it are not repeated. */
export function address<const O extends WithDefault<string> & { schemes?: readonly string[] }>(
  name: string,
  options: O,
): FieldFor<string, O> {
  const schemes = options.schemes ?? ['http:', 'https:'];
  const parse = (found: string): string | undefined =>
    URL.canParse(found) && schemes.includes(new URL(found).protocol) ? found : undefined;
  const expected = `an address starting with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`;
  return build<string, O>({ name, options, expected, parse });
}

/** Anything else: `parse` answers `undefined` for a text that is not `expected`. */
export function custom<T, const O extends WithDefault<T> = WithDefault<T>>(
  name: string,
  options: O & { expected: string; parse: (found: string) => T | undefined },
): FieldFor<T, O> {
  return build<T, O>({ name, options, expected: options.expected, parse: options.parse });
}
