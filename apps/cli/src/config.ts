/** The one reader of the environment: which control plane, which key, where our files lie. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_PORT } from '@muster/protocol';
import envPaths from 'env-paths';
import { type ContextsFile, readContexts } from './contexts.js';
import { usageFailure } from './failure.js';

export const DEFAULT_URL = `http://127.0.0.1:${DEFAULT_PORT}`;

/** Options every command takes. */
export interface CommonOptions {
  readonly url?: string;
  readonly context?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
  readonly color?: boolean;
  readonly verbose?: boolean;
}

export interface Environment {
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly noColor: string | undefined;
  readonly forceColor: string | undefined;
  readonly term: string | undefined;
  /** Where the agent of this machine has its status page; undefined where nothing, or nothing usable, is said. */
  readonly agentMonitorPort?: number | undefined;
  /** How people call this program where they are: through npx in a clone, by its name where it is installed. */
  readonly program: string;
  /** Contexts with their keys. */
  readonly configFolder: string;
  /** What is convenient to remember and may be lost. */
  readonly stateFolder: string;
}

/** Reads the environment once; an empty variable counts as absent. */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const text = (name: string): string | undefined => variables[name] || undefined;
  const paths = envPaths('muster', { suffix: '' });
  const inFolder = (name: string, otherwise: string): string => {
    const folder = text(name);
    return folder === undefined ? otherwise : join(folder, 'muster');
  };
  return {
    url: text('MUSTER_URL'),
    key: text('MUSTER_KEY'),
    noColor: variables['NO_COLOR'],
    forceColor: variables['FORCE_COLOR'],
    term: variables['TERM'],
    agentMonitorPort: Number(text('MUSTER_AGENT_MONITOR_PORT')) || undefined,
    program: text('npm_execpath') === undefined ? 'muster' : 'npx muster',
    configFolder: inFolder('XDG_CONFIG_HOME', paths.config),
    stateFolder: inFolder('XDG_STATE_HOME', paths.log),
  };
}

/** The environment for what `up` starts, with settings that were given as options laid over it. */
export function stackEnvironment(
  overrides: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return { ...process.env, ...given };
}

/** Settings that were given as options, for a program that reads the environment of this very process. */
export function setEnvironment(overrides: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(overrides)) if (value !== undefined) process.env[name] = value;
}

/** Where a command goes and with which key. */
export interface Target {
  readonly url: string;
  readonly key: string | undefined;
  /** Context that url or key came from; null when neither did. */
  readonly contextName: string | null;
  readonly keySource: 'keyFile' | 'environment' | 'context' | 'adminKeyFile' | 'none';
}

/**
 * Each fact from the first place that has it: flag, environment, context, default. The key of a context is sent only to
 * the address it was saved for: naming another address must not carry the key there.
 */
export function chooseTarget(options: CommonOptions, environment: Environment, file: ContextsFile): Target {
  const name = options.context ?? file.current;
  const context = name === undefined ? undefined : file.contexts[name];
  if (options.context !== undefined && context === undefined) {
    const known = Object.keys(file.contexts).join(', ') || 'none is saved yet';
    throw usageFailure(`There is no context "${options.context}".`, 'muster context list', `Known: ${known}.`);
  }
  // A context named on the command line is a flag: it wins over the environment.
  const named = options.context === undefined ? undefined : context;
  const url = options.url ?? named?.url ?? environment.url ?? context?.url ?? DEFAULT_URL;
  const savedKey = context !== undefined && sameAddress(context.url, url) ? context.key : undefined;
  const contextName = context !== undefined && sameAddress(context.url, url) ? (name ?? null) : null;
  if (options.keyFile !== undefined)
    return { url, key: readKeyFile(options.keyFile), contextName, keySource: 'keyFile' };
  if (named !== undefined && savedKey !== undefined) return { url, key: savedKey, contextName, keySource: 'context' };
  if (environment.key !== undefined) return { url, key: environment.key, contextName, keySource: 'environment' };
  return { url, key: savedKey, contextName, keySource: savedKey === undefined ? 'none' : 'context' };
}

/** Reads the contexts and decides. */
export function loadTarget(options: CommonOptions, environment: Environment): Target {
  return chooseTarget(options, environment, readContexts(environment.configFolder));
}

/** The key in a file, without the line end that editors leave. */
export function readKeyFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw usageFailure(
      `The key file ${path} cannot be read.`,
      'Check its path and that you may read it.',
      String(error),
    );
  }
  if (text === '') throw usageFailure(`The key file ${path} is empty.`, 'Put the key into it, on one line.');
  return text;
}

function sameAddress(one: string, other: string): boolean {
  const plain = (url: string): string => (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, '');
  return plain(one) === plain(other);
}
