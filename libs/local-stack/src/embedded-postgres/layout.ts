import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors.js';
import { blockingFolder, type ServerUser } from './server-user.js';

/** Where things lie below the folder that PostgreSQL was given. */
export interface Layout {
  readonly root: string;
  /** The cluster: what PostgreSQL calls its data directory. */
  readonly cluster: string;
  /** The server's password, readable only by us. */
  readonly password: string;
  readonly log: string;
  /** Of the server's user alone: its Unix socket, where it has one. */
  readonly socket: string;
  readonly startLock: string;
  /** Copies of the programs, where the installed ones cannot be used. */
  readonly binaries: string;
}

export function layoutOf(root: string): Layout {
  return {
    root,
    cluster: join(root, 'data'),
    password: join(root, 'password'),
    log: join(root, 'postgres.log'),
    socket: join(root, 'socket'),
    startLock: join(root, 'start.lock'),
    binaries: join(root, 'binaries'),
  };
}

/**
 * Makes the folder, closed to others; when the server runs as another user, that user's group may pass through it. It is
 * our folder, so its own mode is put right; folders above it are not ours and are only judged.
 *
 * @throws EmbeddedPostgresError `unreachableDataDirectory`, naming the folder that blocks
 */
export function prepareRoot(root: string, user: ServerUser | undefined): void {
  makeFolder(root);
  if (!user) return;
  if (blockingFolder(root, user) === root) letPass(root, user);
  const blocking = blockingFolder(root, user);
  if (blocking === undefined) return;
  throw new EmbeddedPostgresError(
    'unreachableDataDirectory',
    `PostgreSQL runs as ${user.name}, who may not enter ${blocking}, so it cannot keep its data in ${root}. ` +
      `Choose another data directory with MUSTER_DATA_DIR, or open the folder: chmod o+x ${blocking}`,
  );
}

/** Makes a folder closed to others. Folders above it that are missing are made open to pass, whatever our umask. */
export function makeFolder(folder: string): void {
  const parent = dirname(folder);
  const outermost = makeParents(parent);
  if (outermost !== undefined)
    for (let made = parent; made.length >= outermost.length; made = dirname(made)) chmodSync(made, 0o755);
  makeOne(folder, 0o700);
}

/**
 * Like Node's own, which tries for ever where a file system has the folder and takes nothing into it (as /proc does).
 *
 * @returns the outermost folder that was missing
 */
function makeParents(folder: string): string | undefined {
  if (isFolder(folder)) return undefined;
  const outermost = makeParents(dirname(folder));
  makeOne(folder);
  return outermost ?? folder;
}

/** What is there already, by us or by somebody else in this moment, is good as it is. */
function makeOne(folder: string, mode?: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (!isFolder(folder)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Lets the user's group pass through a folder that belongs to us, without letting it list the folder. */
export function letPass(folder: string, user: ServerUser): void {
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid?.()) return;
  chownSync(folder, uid, user.gid);
  chmodSync(folder, (mode & 0o7777) | 0o010);
}
