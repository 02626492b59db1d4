import { access, chmod, constants, mkdir, open, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CannotWork } from '../exit-codes.js';

const OWNER_ONLY = 0o700;

/**
 * Makes the agent's state directory, readable by its owner only: it holds the worker's identity and everything that jobs
 * printed, and their environments.
 *
 * @returns its absolute path
 * @throws CannotWork naming the path and what is wrong with it
 */
export async function openStateDirectory(path: string): Promise<string> {
  const directory = resolve(path);
  try {
    await mkdir(directory, { recursive: true, mode: OWNER_ONLY });
    const { mode } = await stat(directory);
    if ((mode & 0o077) !== 0) await chmod(directory, OWNER_ONLY);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CannotWork(`The state directory ${directory} cannot be used: ${reason}. Set MUSTER_AGENT_STATE_DIR.`, {
      cause: error,
    });
  }
  return directory;
}

/** Writes a small file so that after a power cut it holds the old text or the new one, never a part of either. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${process.pid}.draft`);
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await rename(draft, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
