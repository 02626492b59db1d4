import { existsSync } from 'node:fs';
import { availableParallelism, homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { CAPABILITIES, DEFAULT_MONITOR_PORT, DEFAULT_PORT, ENROLMENT_PREFIX, KEY_PREFIXES, LABEL_NAME, LABEL_RULE, LIMITS } from '@muster/protocol';
import {
  address,
  ConfigError,
  custom,
  duration,
  integer,
  loadConfig,
  oneOf,
  readEnvironment,
  secret,
  text,
} from '@muster/runtime';
import type { Complaint, ConfigOf, Environment, LoadConfigOptions } from '@muster/runtime';
import { KEY_FILE } from './identity/stored-key.js';

const SECOND_MS = 1_000;

/** Every setting of the agent. `.env.example` and the documents are made from it. */
export const AGENT_SCHEMA = {
  url: address('MUSTER_URL', { about: 'The control plane.', default: `http://127.0.0.1:${DEFAULT_PORT}` }),
  key: secret('MUSTER_AGENT_KEY', {
    about: 'A worker key (wak_…); made with `muster keys create --role worker`. A file is read again for each connection.',
    optional: true,
  }),
  enrolmentToken: secret('MUSTER_AGENT_ENROLMENT_TOKEN', {
    about:
      'Instead of a key, a token (mst_enr_…) that this machine exchanges once for a key of its own, kept in its state directory.',
    optional: true,
  }),
  name: custom<string>('MUSTER_AGENT_NAME', {
    about: 'What people call this worker; the name of the machine unless told.',
    expected: `a text of at most ${LIMITS.nameBytesMax} bytes`,
    default: hostname(),
    parse: (found) => (Buffer.byteLength(found) <= LIMITS.nameBytesMax ? found : undefined),
  }),
  slots: integer('MUSTER_AGENT_SLOTS', {
    about: 'How many jobs run here at once; as many as there are processors unless told.',
    default: availableParallelism(),
    min: 1,
    max: 512,
  }),
  labels: custom<Readonly<Record<string, string>>>('MUSTER_AGENT_LABELS', {
    about: 'What jobs may ask for by name.',
    expected: `up to ${LIMITS.labelsMax} pairs such as zone=lab,driver=550, each name ${LABEL_RULE}, each value at most ${LIMITS.labelBytesMax} bytes`,
    default: {},
    parse: toLabels,
  }),
  capability: oneOf('MUSTER_AGENT_CAPABILITY', CAPABILITIES, {
    about: 'What this machine is good for; hybrid where a GPU is found, cpu elsewhere, unless told.',
    optional: true,
  }),
  contentTypes: custom<readonly string[]>('MUSTER_AGENT_CONTENT_TYPES', {
    about: 'Content types taken; those usual for the capability unless told.',
    expected: `a comma-separated list of at most ${LIMITS.contentTypesMax} words of at most ${LIMITS.contentTypeBytesMax} bytes`,
    optional: true,
    parse: toContentTypes,
  }),
  stateDir: text('MUSTER_AGENT_STATE_DIR', {
    about: 'Where identity, running jobs and unsent logs are kept; one agent per directory.',
    default: defaultStateDirectory(),
  }),
  connectTimeoutMs: duration('MUSTER_AGENT_CONNECT_TIMEOUT', {
    about: 'How long one try to connect may take.',
    default: 10 * SECOND_MS,
    minMs: 100,
  }),
  retryIntervalMs: duration('MUSTER_AGENT_RETRY_INTERVAL', {
    about: 'Longest pause after the first failed try; doubles with each further one.',
    default: SECOND_MS,
    minMs: 10,
  }),
  retryMaxMs: duration('MUSTER_AGENT_RETRY_MAX', {
    about: 'Longest pause between tries; an unreachable control plane is tried for ever.',
    default: 30 * SECOND_MS,
    minMs: 10,
  }),
  // In images `stop`: a container that ends takes its jobs with it, so they had better be told.
  onTerm: oneOf('MUSTER_AGENT_ON_TERM', ['keep', 'stop'], {
    about: 'At SIGTERM: keep leaves jobs running for the next start, stop ends them as a planned stop.',
    default: 'keep',
  }),
  monitorPort: custom<number | 'off'>('MUSTER_AGENT_MONITOR_PORT', {
    about: 'Loopback port of the status page; the next free one when taken, 0 for any, off for none.',
    expected: 'a whole number from 0 to 65535, or off',
    default: DEFAULT_MONITOR_PORT,
    parse: toPort,
  }),
  logLevel: oneOf('MUSTER_LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    about: 'How much the agent says.',
    default: 'info',
  }),
};

/** What people set. The key itself is found when the state directory is open (identity/open-key.ts). */
export interface AgentConfig extends ConfigOf<typeof AGENT_SCHEMA> {
  /** Where the key stands, if it was given by file. */
  readonly keyFile: string | undefined;
}

/** @throws ConfigError with every complaint at once */
export function readConfig(options: LoadConfigOptions = {}): AgentConfig {
  const env = readEnvironment(options);
  const missing = hasKey(env) ? [] : keyMissing().complaints;
  const config = load(options, missing);
  const complaints = [
    ...missing,
    complaintAbout('MUSTER_AGENT_KEY', config.key, 'a worker key', KEY_PREFIXES.worker),
    complaintAbout('MUSTER_AGENT_ENROLMENT_TOKEN', config.enrolmentToken, 'an enrolment token', ENROLMENT_PREFIX),
  ].filter((complaint) => complaint !== undefined);
  if (complaints.length > 0) throw new ConfigError(complaints);
  return { ...config, keyFile: env['MUSTER_AGENT_KEY_FILE']?.trim() || undefined };
}

/** @throws ConfigError with these complaints too */
function load(options: LoadConfigOptions, further: readonly Complaint[]): ConfigOf<typeof AGENT_SCHEMA> {
  try {
    return loadConfig(AGENT_SCHEMA, options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError([...error.complaints, ...further]);
  }
}

/** Given one, or a token, or enrolled before. */
function hasKey(env: Environment): boolean {
  const names = [AGENT_SCHEMA.key.name, AGENT_SCHEMA.enrolmentToken.name];
  if (names.some((name) => Boolean(env[name]?.trim()) || Boolean(env[`${name}_FILE`]?.trim()))) return true;
  return existsSync(join(env[AGENT_SCHEMA.stateDir.name]?.trim() || defaultStateDirectory(), KEY_FILE));
}

function complaintAbout(name: string, value: string | undefined, what: string, prefix: string): Complaint | undefined {
  if (value === undefined || value.startsWith(prefix)) return undefined;
  return { name, expected: `${what}, which starts with ${prefix}`, found: `a key that starts with ${value.slice(0, 4)}` };
}

/** Nobody gave the agent a key, and it was never enrolled. */
export function keyMissing(): ConfigError {
  const expected =
    'a worker key, MUSTER_AGENT_KEY_FILE with the path of one, or a token in MUSTER_AGENT_ENROLMENT_TOKEN (`muster keys enrolment create`)';
  return new ConfigError([{ name: 'MUSTER_AGENT_KEY', expected, found: 'nothing' }]);
}

/** As much of a key as may be shown: enough to recognise it, useless to anybody else. */
export function shownKey(key: string): string {
  return `${key.slice(0, KEY_PREFIXES.worker.length + 8)}…`;
}

/**
 * What the process side sees of the environment: jobs inherit a few words of it (PATH, HOME, LANG, TMPDIR), chaos tests set
 * MUSTER_CRASH_AT. The agent's own settings, its key above all, are not among them.
 */
export function inheritedEnvironment(): Readonly<Record<string, string | undefined>> {
  const isOwn = (name: string): boolean => name.startsWith('MUSTER_') && name !== 'MUSTER_CRASH_AT';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOwn(name)));
}

function toLabels(found: string): Readonly<Record<string, string>> | undefined {
  const pairs = found.split(',').flatMap((pair) => pair.trim() || []);
  const labels = pairs.map((pair) => /^([^=\s]+)=(.*)$/.exec(pair));
  if (labels.length > LIMITS.labelsMax) return undefined;
  const fits = ([, name = '', value = '']: RegExpExecArray): boolean => LABEL_NAME.test(name) && Buffer.byteLength(value) <= LIMITS.labelBytesMax;
  if (!labels.every((match) => match && fits(match))) return undefined;
  return Object.fromEntries(labels.map((match) => [match?.[1] ?? '', match?.[2]?.trim() ?? '']));
}

function toContentTypes(found: string): readonly string[] | undefined {
  const words = found.split(',').flatMap((word) => word.trim() || []);
  const isWord = (word: string): boolean => Buffer.byteLength(word) <= LIMITS.contentTypeBytesMax;
  return words.length <= LIMITS.contentTypesMax && words.every(isWord) ? words : undefined;
}

function toPort(found: string): number | 'off' | undefined {
  if (found === 'off') return 'off';
  return /^\d{1,5}$/.test(found) && Number(found) <= 65_535 ? Number(found) : undefined;
}

function defaultStateDirectory(): string {
  const home = homedir();
  if (process.platform === 'win32')
    return join(process.env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'muster', 'agent');
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'muster', 'agent');
  if (process.getuid?.() === 0) return '/var/lib/muster/agent';
  return join(process.env['XDG_STATE_HOME'] ?? join(home, '.local', 'state'), 'muster', 'agent');
}
