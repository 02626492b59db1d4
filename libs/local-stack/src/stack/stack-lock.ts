import { tryLock, type HeldLock } from '../processes/lock-file.js';
import type { DataDirectory } from './data-directory.js';

/** A stack already runs on this data directory. Nothing was started. */
export class StackAlreadyRunning extends Error {
  readonly code = 'alreadyRunning';
  constructor(
    readonly pid: number,
    /** `undefined` while the other stack is still starting. */
    readonly url: string | undefined,
    readonly dataDir: string,
  ) {
    super(`Muster is already running on ${dataDir}: pid ${pid}, ${url ? `URL ${url}` : 'still starting'}.`);
    this.name = 'StackAlreadyRunning';
  }
}

/**
 * Makes this process the only stack on the data directory until it lets go or dies, however it dies.
 *
 * @throws StackAlreadyRunning naming pid and URL of the other
 */
export async function lockStack(directory: DataDirectory): Promise<HeldLock> {
  const outcome = await tryLock(directory.stackLock);
  if ('lock' in outcome) return outcome.lock;
  throw new StackAlreadyRunning(outcome.heldBy.pid, outcome.heldBy.note.url, directory.root);
}
