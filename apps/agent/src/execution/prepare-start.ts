import { toRunScript } from '../supervisor/run-script.js';
import { CannotStart, type HookFacts } from './execution-hook.js';
import type { ExecutionHost } from './execution-host.js';
import { prepareAll } from './hook-chain.js';

/** Asks every hook and writes down all that a supervisor needs. Rejects with `CannotStart`, or with what the machine refused. */
export async function prepareStart(
  host: ExecutionHost,
  facts: HookFacts,
  grantedEnv: Readonly<Record<string, string>>,
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
  await facts.directory.writeStartFiles(host.lane, script, operations);
  return { inCgroup: entersCgroup };
}
