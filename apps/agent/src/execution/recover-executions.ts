import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../containment/settle-loop.js';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileLane } from '../supervisor/file-lane.js';
import { settle } from '../supervisor/recovery-reader.js';
import { readEnd } from './end-record.js';
import { Execution } from './execution.js';
import type { ExecutionHost } from './execution-host.js';
import type { ExecutionLogger, RecoveredExecution } from './execution-types.js';
import { cleanupAll } from './hook-chain.js';
import { readIntent, type Intent } from './intent.js';

type Hold = (execution: Execution, isAdopted: boolean) => void;

const RECOVER_AT_ONCE = 8;
const PREPARED_ENDS_MS = 5_000;

/** Settles everything below `attemptsDir`, in the order of the names; `hold` is told of each before it can end. */
export async function recoverAll(
  attemptsDir: string,
  host: ExecutionHost,
  hold: Hold,
): Promise<readonly RecoveredExecution[]> {
  const found: (RecoveredExecution | null)[] = [];
  const next = (await readdir(attemptsDir)).sort().values();
  const some = async (): Promise<void> => {
    for (const name of next) found.push(await recoverOne(new AttemptDirectory(join(attemptsDir, name)), host, hold));
  };
  await Promise.all(Array.from({ length: RECOVER_AT_ONCE }, some));
  return found.filter((recovered) => recovered !== null);
}

/** One directory that nobody can make sense of must not keep the agent from all the others. */
async function recoverOne(
  directory: AttemptDirectory,
  host: ExecutionHost,
  hold: Hold,
): Promise<RecoveredExecution | null> {
  try {
    return await recoverDirectory(directory, host, hold);
  } catch (error) {
    host.log.error({ directory: directory.path, error }, 'a directory could not be recovered; it stays');
    return null;
  }
}

/** Settles what an earlier agent left in one directory. Null when it was no execution at all. */
async function recoverDirectory(
  directory: AttemptDirectory,
  host: ExecutionHost,
  hold: Hold,
): Promise<RecoveredExecution | null> {
  const intent = readIntent(directory);
  const verdict = await settle(directory);
  if (!intent || verdict.kind === 'discard') {
    host.log.warn({ directory: directory.path }, 'removes a directory without a whole intent');
    await removeDirectory(directory, host.lane, host.log);
    return null;
  }
  if (verdict.kind === 'neverStarted') return neverStarted(directory, intent, host);
  const execution = new Execution(directory, intent, host, false);
  if (verdict.kind === 'adopt') {
    execution.adopt();
    hold(execution, true);
    await execution.freezeAgain();
    const view = execution.view();
    return { kind: view.phase === 'exited' ? 'ended' : 'adopted', view };
  }
  hold(execution, false);
  const lost = verdict.kind === 'supervisorDied' ? 'supervisorDied' : verdict.kind === 'lostToReboot' ? 'reboot' : null;
  await execution.settleFound(verdict.kind === 'ended' ? readEnd(directory) : null, lost);
  return { kind: 'ended', view: execution.view() };
}

async function neverStarted(
  directory: AttemptDirectory,
  intent: Intent,
  host: ExecutionHost,
): Promise<RecoveredExecution> {
  const startAsked = directory.has('run');
  // A process may have been prepared for it, which ends by itself a moment after the agent that had it prepared.
  const { cgroupPath } = intent;
  const tree = host.rungs[intent.rung]?.tree({ directory, cgroupPath, startedHere: false, leader: () => null });
  if (tree?.isProof) await until(async () => (await tree.look()).isEmpty, PREPARED_ENDS_MS);
  // What never ran left nothing big, so nobody waits long for this lane; on the other one it might have to wait.
  await cleanupAll({ ...host, removals: host.lane }, { intent, directory });
  await removeDirectory(directory, host.lane, host.log);
  return { kind: 'neverStarted', ref: intent.ref, jobId: intent.jobId, spec: intent.spec, startAsked };
}

/** What cannot be removed costs its disk space and a line in the log; the next start of the agent tries again. */
export async function removeDirectory(
  directory: AttemptDirectory,
  lane: FileLane,
  log: ExecutionLogger,
): Promise<void> {
  try {
    await directory.remove(lane);
  } catch (error) {
    log.warn({ directory: directory.path, error }, 'the directory of an execution could not be removed');
  }
}
