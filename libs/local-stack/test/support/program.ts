import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { blockingFolder } from '../../src/embedded-postgres/server-user.js';

/** Somebody with no rights but everybody's. */
const STRANGER = { uid: 65_534, gid: 65_534, name: 'nobody' };

/** A program of its own: one file beside its own copy of the PostgreSQL package, so that any user can be let at it. */
export function installProgram(name: string, folder: string): string {
  const file = join(folder, `${name}.cjs`);
  buildSync({
    entryPoints: [join(import.meta.dirname, '..', 'programs', `${name}.ts`)],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    conditions: ['@muster/source'],
    external: ['pg-native'],
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(file).href) },
    logLevel: 'error',
  });
  chmodSync(file, 0o644);
  return file;
}

/** The installed PostgreSQL package. */
export function postgresPackage(): { name: string; root: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  return { name, root: dirname(dirname(createRequire(import.meta.url).resolve(name))) };
}

/** Puts the PostgreSQL package where a program in this folder finds it: a link when it will do, since a copy takes 60 MB. */
export function installPostgresPackage(folder: string, how: 'link' | 'copy'): string {
  const { name, root } = postgresPackage();
  const path = join(folder, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  if (how === 'link') symlinkSync(root, path);
  else cpSync(root, path, { recursive: true, verbatimSymlinks: true });
  return path;
}

export interface RunningProgram<T> {
  readonly child: ChildProcess;
  /** The first line on standard output, parsed; rejects with standard error when the program ends without one. */
  readonly answer: Promise<T>;
  readonly exited: Promise<number | NodeJS.Signals | null>;
  /** Resolves when this text has appeared on standard error. */
  readonly said: (text: string) => Promise<void>;
}

/** What `start-postgres` prints. */
export interface PostgresFacts {
  readonly pid: number;
  readonly url: string;
  readonly adopted: boolean;
  readonly isNew: boolean;
  readonly steps: readonly string[];
}

/** Runs it with Node, as another user when told. */
export function runProgram<T>(
  file: string,
  args: readonly string[],
  options: { uid?: number; node?: string; env?: Readonly<Record<string, string | undefined>> } = {},
): RunningProgram<T> {
  const identity = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
  const env = options.env ? { env: { ...options.env } } : {};
  const child = spawn(options.node ?? process.execPath, [file, ...args], {
    ...identity,
    ...env,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  const listeners = new Set<() => void>();
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
    for (const listener of listeners) listener();
  });
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  const answer = new Promise<T>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('\n')) resolve(JSON.parse(output.slice(0, output.indexOf('\n'))));
    });
    child.once('error', reject);
    void exited.then((code) => reject(new Error(`The program ended with ${code}: ${errors}`)));
  });
  // Not every caller asks for the answer.
  answer.catch(() => undefined);
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => (errors.includes(text) ? resolve() : undefined);
      listeners.add(look);
      look();
      void exited.then(() => reject(new Error(`The program never said ${text}: ${errors}`)));
    });
  return { child, answer, exited, said };
}

/** Makes a folder below this one that any user may enter, with the PostgreSQL package in it. */
export function prepareProgramFolder(folder: string): string {
  const programFolder = join(folder, 'program');
  mkdirSync(programFolder, { mode: 0o755 });
  const isReachable = blockingFolder(postgresPackage().root, STRANGER) === undefined;
  installPostgresPackage(programFolder, isReachable ? 'link' : 'copy');
  return programFolder;
}

/** Node where any user can run it: itself, or a copy when it lies in somebody's closed home. */
export function nodeForEveryone(folder: string): string {
  if (blockingFolder(dirname(process.execPath), STRANGER) === undefined) return process.execPath;
  const copy = join(folder, 'node');
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}
