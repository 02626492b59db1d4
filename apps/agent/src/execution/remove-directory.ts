import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileLane } from '../supervisor/file-lane.js';
import type { SeatMaker } from '../supervisor/seat-maker.js';
import type { ExecutionLogger } from './execution-types.js';

/** What cannot be removed costs its disk space and a line in the log; the next start of the agent tries again. */
export async function removeDirectory(
  directory: AttemptDirectory,
  lane: FileLane,
  log: ExecutionLogger,
): Promise<void> {
  await guarded(directory, log, () => directory.remove(lane));
}

/** The same for one that ran to its end: the next seats are made of what it leaves. */
export async function reuseDirectory(
  directory: AttemptDirectory,
  seats: SeatMaker,
  log: ExecutionLogger,
): Promise<void> {
  await guarded(directory, log, () => seats.reuse(directory));
}

async function guarded(directory: AttemptDirectory, log: ExecutionLogger, remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    log.warn({ directory: directory.path, error }, 'the directory of an execution could not be removed');
  }
}
