import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError, type Complaint } from './config-error.js';
import type { ConfigOf, Field, Schema } from './fields.js';
import { nearestName } from './nearest-name.js';
import { KNOWN_NAMES } from './known-names.js';

export interface LoadConfigOptions {
  /** `process.env` unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where `.env` is looked for; the working directory unless told. */
  readonly cwd?: string;
  /** Told once per variable that starts with `MUSTER_` and means nothing to any part of Muster. */
  readonly warn?: (message: string) => void;
  /** Names without a field here that are nevertheless right. Names known to other parts of Muster are right by themselves. */
  readonly alsoKnown?: readonly string[];
}

/**
 * Reads the environment by the schema and freezes the result. A `.env` file fills in what the environment does not set.
 * An empty text counts as not set, as compose files and shells produce it for unset variables.
 *
 * @throws ConfigError with every complaint at once
 */
export function loadConfig<const S extends Schema>(schema: S, options: LoadConfigOptions = {}): ConfigOf<S> {
  const complaints: Complaint[] = [];
  const env = mergedEnvironment(options, complaints);
  const config: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(schema)) {
    const outcome = readField(field, env);
    if ('complaint' in outcome) complaints.push(outcome.complaint);
    else config[key] = Array.isArray(outcome.value) ? Object.freeze(outcome.value) : outcome.value;
  }
  warnOfUnknownNames(schema, env, options);
  if (complaints.length > 0) throw new ConfigError(complaints);
  return Object.freeze(config) as ConfigOf<S>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment with what a `.env` file adds to it, for a program that hands it on to its children.
 *
 * @throws ConfigError when the file is there and cannot be read
 */
export function readEnvironment(options: Pick<LoadConfigOptions, 'env' | 'cwd'> = {}): Environment {
  const complaints: Complaint[] = [];
  const env = mergedEnvironment(options, complaints);
  if (complaints.length > 0) throw new ConfigError(complaints);
  return env;
}

function mergedEnvironment(options: LoadConfigOptions, complaints: Complaint[]): Environment {
  const given = options.env ?? process.env;
  const path = join(options.cwd ?? process.cwd(), '.env');
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
    if (!isAbsent) complaints.push({ name: '.env', expected: 'a readable file, or none', found: `${code} on ${path}` });
    return given;
  }
  const filled: Record<string, string | undefined> = { ...given };
  for (const [name, value] of Object.entries(parseEnv(content))) {
    if (!filled[name]) filled[name] = value;
  }
  return filled;
}

type Outcome = { readonly value: unknown } | { readonly complaint: Complaint };

function readField(field: Field<unknown>, env: Environment): Outcome {
  const found = field.isSecret ? readSecret(field, env) : { text: env[field.name]?.trim() };
  if ('complaint' in found) return found;
  if (!found.text) {
    if (field.fallback !== 'required') return field.fallback;
    return { complaint: { name: field.name, expected: field.expected, found: 'nothing' } };
  }
  const parsed = field.parse(found.text);
  if ('value' in parsed) return parsed;
  return { complaint: { name: field.name, expected: parsed.expected, found: describeFound(field, found.text) } };
}

function readSecret(field: Field<unknown>, env: Environment): { text: string | undefined } | { complaint: Complaint } {
  const direct = env[field.name]?.trim();
  const path = env[`${field.name}_FILE`]?.trim();
  if (!path) return { text: direct };
  const complain = (expected: string, found: string): { complaint: Complaint } => ({
    complaint: { name: `${field.name}_FILE`, expected, found },
  });
  if (direct) return complain(`only one of ${field.name} and ${field.name}_FILE`, 'both');
  try {
    const content = readFileSync(path, 'utf8').trim();
    return content ? { text: content } : complain('a file that holds the secret', `an empty file ${path}`);
  } catch (error) {
    return complain('a readable file that holds the secret', `${errorCode(error)} on ${path}`);
  }
}

function describeFound(field: Field<unknown>, text: string): string {
  if (field.isSecret) return `${text.length} characters`;
  const withoutCredentials = text.replace(/(:\/\/)[^/@\s]*@/g, '$1***@');
  return JSON.stringify(withoutCredentials.length > 80 ? `${withoutCredentials.slice(0, 80)}…` : withoutCredentials);
}

function warnOfUnknownNames(schema: Schema, env: Environment, options: LoadConfigOptions): void {
  const known = new Set<string>([...KNOWN_NAMES, ...(options.alsoKnown ?? [])]);
  for (const field of Object.values(schema)) {
    known.add(field.name);
    if (field.isSecret) known.add(`${field.name}_FILE`);
  }
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith('MUSTER_') || known.has(name)) continue;
    const nearest = nearestName(name, [...known]);
    options.warn?.(`${name} is not a setting of Muster${nearest ? `; did you mean ${nearest}?` : '.'}`);
  }
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
