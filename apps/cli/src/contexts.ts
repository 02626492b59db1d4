import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.js';
import { EXIT } from './exit-codes.js';

/** A control plane and the key to it, under a name. */
export interface Context {
  readonly url: string;
  readonly key: string;
}

export interface ContextsFile {
  /** Used when no other is named. */
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

/** Where the contexts of this folder are kept. */
export function contextsPath(folder: string): string {
  return join(folder, 'contexts.json');
}

/** The saved contexts; none when there is no file yet. A file that others may read is made private again. */
export function readContexts(folder: string): ContextsFile {
  const path = contextsPath(folder);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { contexts: {} };
    throw broken(path, String(error));
  }
  makePrivate(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(path, String(error));
  }
  if (!isContextsFile(value)) throw broken(path, 'It does not have the form of contexts.');
  return value;
}

/** Replaces the file at once, readable by its owner only: a reader sees the old one or the new one, never half of one. */
export function writeContexts(folder: string, file: ContextsFile): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = contextsPath(folder);
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The file with one context added or replaced, and made the current one. */
export function withContext(file: ContextsFile, name: string, context: Context): ContextsFile {
  return { current: name, contexts: { ...file.contexts, [name]: context } };
}

/** The file without one context; when it was the current one, none is. */
export function withoutContext(file: ContextsFile, name: string): ContextsFile {
  const contexts = Object.fromEntries(Object.entries(file.contexts).filter(([other]) => other !== name));
  return file.current === name || file.current === undefined ? { contexts } : { current: file.current, contexts };
}

function makePrivate(path: string): void {
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  } catch {
    // It belongs to somebody else, who let us read it: theirs to keep private.
  }
}

function isContextsFile(value: unknown): value is ContextsFile {
  if (typeof value !== 'object' || value === null) return false;
  const { current, contexts } = value as { current?: unknown; contexts?: unknown };
  if (current !== undefined && typeof current !== 'string') return false;
  if (typeof contexts !== 'object' || contexts === null) return false;
  return Object.values(contexts).every(
    (context: unknown) =>
      typeof context === 'object' &&
      context !== null &&
      typeof (context as Context).url === 'string' &&
      typeof (context as Context).key === 'string',
  );
}

function broken(path: string, why: string): Failure {
  return new Failure({
    code: 'contextsBroken',
    exitCode: EXIT.usage,
    what: `The contexts in ${path} cannot be read.`,
    why,
    next: 'Correct the file, or move it away and sign in again: muster login',
  });
}
