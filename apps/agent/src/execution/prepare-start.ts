import { basename } from 'node:path';
import type { FileOperation } from '../supervisor/file-thread.js';
import { toRunScript } from '../supervisor/run-script.js';
import type { SeatMaker } from '../supervisor/seat-maker.js';
import { CannotStart, type HookFacts } from './execution-hook.js';
import type { ExecutionHost } from './execution-host.js';
import { aheadOfAll, prepareAll } from './hook-chain.js';

/** What is written down with the intent, so that the word to go finds nothing left to do. */
export interface PreparedStart {
  readonly runScript: Uint8Array;
  /** Besides the files of the directory. */
  readonly operations: readonly FileOperation[];
  readonly inCgroup: boolean;
}

/** Asks every hook. Rejects with `CannotStart`, or with what the machine refused. */
export async function prepareStart(
  host: Pick<ExecutionHost, 'hooks' | 'tools'>,
  facts: HookFacts,
  grantedEnv: Readonly<Record<string, string>>,
): Promise<PreparedStart> {
  const plan = await prepareAll(host.hooks, facts, grantedEnv);
  const { streams, operations, entersCgroup, ...words } = plan;
  const [program, ...rest] = plan.command;
  if (program === undefined) throw new CannotStart('spawnFailed', 'The job names no program.');
  const runScript = toRunScript({
    ...words,
    ...(streams ? { streams } : {}),
    setsidPath: host.tools.setsid,
    newSessionPath: host.tools.newSession,
    envPath: host.tools.env,
    command: [program, ...rest],
  });
  return { runScript, operations, inCgroup: entersCgroup };
}

/**
 * Puts everything down that a start needs. What could not be prepared, for a reason of the job's or of this machine, is put
 * down too: the reason is told when the start is ordered.
 */
export async function writeAccepted(
  { lane, hooks }: Pick<ExecutionHost, 'lane' | 'hooks'>,
  { directory, intent }: HookFacts,
  seats: SeatMaker,
  isSeated: boolean,
  prepared: PreparedStart | null,
): Promise<void> {
  const id = basename(directory.path);
  const madeAhead = seats.directoryOf(id);
  await directory.take(lane, madeAhead, {
    making: isSeated ? [] : seats.making(id, aheadOfAll(hooks, madeAhead, intent.rung)),
    intent: JSON.stringify(intent),
    runScript: prepared?.runScript ?? Buffer.alloc(0),
    others: prepared?.operations ?? [],
  });
}
