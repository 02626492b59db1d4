import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainedTree } from '../containment/containment.js';
import { until } from '../containment/settle-loop.js';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { settle } from '../supervisor/recovery-reader.js';
import { readEnd } from './end-record.js';
import { Execution } from './execution.js';
import type { ExecutionHost } from './execution-host.js';
import type { RecoveredExecution } from './execution-types.js';
import { cleanupAll } from './hook-chain.js';
import { readIntent, type Intent } from './intent.js';
import { removeDirectory } from './remove-directory.js';

type Hold = (execution: Execution, isAdopted: boolean) => void;

const RECOVER_AT_ONCE = 8;
/** A shell at end of file ends at once; longer than this only a machine at its limit takes, or one that stands still. */
const PREPARED_ENDS_MS = 2_000;
const KILLED_ENDS_MS = 2_000;

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
  // Nobody can prove of a `go` that is not an agent's that nothing ran while somebody is there: then all of it ends first.
  const mayHaveRun = verdict.kind === 'neverStarted' && directory.readGo() !== 'agent';
  const tree = treeOf(directory, intent, host);
  if (verdict.kind === 'neverStarted' && !(mayHaveRun && !(await isEmptySoon(tree, PREPARED_ENDS_MS))))
    return neverStarted(directory, intent, host, tree);
  const execution = new Execution(directory, intent, host, null);
  if (verdict.kind === 'adopt') {
    execution.adopt();
    hold(execution, true);
    await execution.freezeAgain();
    const view = execution.view();
    return { kind: view.phase === 'exited' ? 'ended' : 'adopted', view };
  }
  hold(execution, false);
  const isWithoutWitness = verdict.kind === 'supervisorDied' || verdict.kind === 'neverStarted';
  const lost = isWithoutWitness ? 'supervisorDied' : verdict.kind === 'lostToReboot' ? 'reboot' : null;
  await execution.settleFound(verdict.kind === 'ended' ? readEnd(directory) : null, lost);
  return { kind: 'ended', view: execution.view() };
}

/**
 * A process may have been prepared for it, which ends by itself a moment after the agent that had it prepared. One that
 * does not is killed, because it can never become the job; while it is there its directory stays for the next start.
 */
async function neverStarted(
  directory: AttemptDirectory,
  intent: Intent,
  host: ExecutionHost,
  tree: ContainedTree,
): Promise<RecoveredExecution> {
  let isEmpty = await isEmptySoon(tree, PREPARED_ENDS_MS);
  if (!isEmpty) {
    await tree.killAll();
    isEmpty = await isEmptySoon(tree, KILLED_ENDS_MS);
  }
  if (isEmpty) {
    // What never ran left nothing big, so nobody waits long for this lane; on the other one it might have to wait.
    await cleanupAll({ ...host, removals: { runLater: (work) => host.lane.run(work) } }, { intent, directory });
    await removeDirectory(directory, host.lane, host.log);
  } else {
    host.log.warn({ directory: directory.path }, 'what was prepared for an execution could not be killed; it stays');
  }
  return { kind: 'neverStarted', ref: intent.ref, jobId: intent.jobId, spec: intent.spec };
}

function treeOf(directory: AttemptDirectory, intent: Intent, host: ExecutionHost): ContainedTree {
  const { cgroupPath } = intent;
  const containment = host.rungs[intent.rung] ?? host.fallbackRung;
  return containment.tree({ directory, cgroupPath, startedHere: false, leader: () => directory.readIdent().job });
}

const isEmptySoon = (tree: ContainedTree, withinMs: number): Promise<boolean> =>
  until(async () => (await tree.look()).isEmpty, withinMs);
