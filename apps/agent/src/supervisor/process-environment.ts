/** What a process was given as its environment, and the cookie in it. */
import { open, type FileHandle } from 'node:fs/promises';
import type { ProcessIdentity } from './process-identity.js';

/** Every process of an execution inherits this variable; a process that emptied its environment escapes the sweep. */
export const COOKIE_NAME = 'MUSTER_EXECUTION';

const COOKIE_BYTES_MAX = 2 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** A look goes on without the environment of a process that holds on to its memory for longer. */
const PATIENCE_MS = 1_000;
const cookiePattern = new RegExp(`(?:^|\\0)${COOKIE_NAME}=([A-Za-z0-9._-]+)(?=\\0|$)`);

export const cookieIn = (environment: Buffer | null): string | null =>
  (environment && cookiePattern.exec(environment.toString('latin1'))?.[1]) ?? null;

/** Whose reads did not come back in time: each holds one of the few threads that all work with files shares. */
const stuck = new Set<string>();

/**
 * Null where it is gone, somebody else's, or not to be had within a second; empty amid exec. Until a read that took longer
 * has come back nobody tries that process again. Never rejects.
 */
export async function readEnvironment({ pid, startTicks }: ProcessIdentity): Promise<Buffer | null> {
  const key = `${pid} ${startTicks}`;
  if (stuck.has(key)) return null;
  const read = readWhole(`/proc/${pid}/environ`);
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      stuck.add(key);
      void read.then(() => stuck.delete(key));
      resolve(null);
    }, PATIENCE_MS);
  });
  const environment = await Promise.race([read, tooLate]);
  clearTimeout(timer);
  return environment;
}

async function readWhole(path: string): Promise<Buffer | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    return await readPieces(file);
  } catch {
    return null;
  } finally {
    void file.close().catch(() => undefined);
  }
}

/** The kernel fills what it is given, so a piece that is not full is the last. */
async function readPieces(file: FileHandle): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let length = 0; length < COOKIE_BYTES_MAX; length += PIECE_BYTES) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, length);
    pieces.push(buffer.subarray(0, bytesRead));
    if (bytesRead < PIECE_BYTES) break;
  }
  return Buffer.concat(pieces);
}
