import { reservedStatus } from '../supervisor/attempt-directory.js';
import { toRunScript } from '../supervisor/run-script.js';
import { CannotStart, type HookFacts } from './execution-hook.js';
import type { ExecutionHost } from './execution-host.js';
import { aheadOfAll, prepareAll } from './hook-chain.js';

/** Asks every hook and writes down all that a supervisor needs, less what was made ahead. Rejects with `CannotStart`, or with what the machine refused. */
export async function prepareStart(
  host: ExecutionHost,
  facts: HookFacts,
  grantedEnv: Readonly<Record<string, string>>,
  isSeated: boolean,
): Promise<{ readonly inCgroup: boolean }> {
  const plan = await prepareAll(host.hooks, facts, grantedEnv);
  const { streams, operations, entersCgroup, ...words } = plan;
  const [program, ...rest] = plan.command;
  if (program === undefined) throw new CannotStart('spawnFailed', 'The job names no program.');
  const script = toRunScript({
    ...words,
    ...(streams ? { streams } : {}),
    setsidPath: host.tools.setsid,
    envPath: host.tools.env,
    command: [program, ...rest],
  });
  const { directory, intent } = facts;
  const ahead = isSeated ? [] : [reservedStatus(directory), ...aheadOfAll(host.hooks, directory, intent.rung)];
  await directory.writeStartFiles(host.lane, script, [...ahead, ...operations]);
  return { inCgroup: entersCgroup };
}
