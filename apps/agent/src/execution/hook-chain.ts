import type { Containment } from '../containment/containment.js';
import type { ContainmentRung } from '@muster/protocol';
import type { ExecutionLogger } from './execution-types.js';
import type { EndPart, ExecutionHook, HookFacts, SpawnPlan, SpawnPlanPart } from './execution-hook.js';
import { createContainmentHook } from './hooks/containment.hook.js';
import { createEnvironmentHook } from './hooks/environment.hook.js';
import { limitsHook } from './hooks/limits.hook.js';
import { logsHook } from './hooks/logs.hook.js';
import { outputsHook } from './hooks/outputs.hook.js';
import { createProgramHook } from './hooks/program.hook.js';
import { workspaceHook } from './hooks/workspace.hook.js';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileLane } from '../supervisor/file-lane.js';
import type { FileOperation } from '../supervisor/file-thread.js';

export interface HookChainOptions {
  readonly rungs: Readonly<Partial<Record<ContainmentRung, Containment>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly shellPath: string;
}

/** What happens to an execution, read from top to bottom. Inputs will stand between workspace and environment. */
export function hookChain(options: HookChainOptions): readonly ExecutionHook[] {
  return [
    workspaceHook,
    createEnvironmentHook(options.environment),
    limitsHook,
    logsHook,
    createContainmentHook(options.rungs),
    createProgramHook(options.shellPath),
    // Here the process runs.
    outputsHook,
  ];
}

/** What `cleanupAll` works with. */
export interface CleanupHost {
  readonly hooks: readonly ExecutionHook[];
  readonly removals: Pick<FileLane, 'runLater'>;
  readonly log: ExecutionLogger;
}

const EMPTY_PLAN: SpawnPlan = {
  env: {},
  cwd: '/',
  command: [],
  wrapper: [],
  prologue: [],
  streams: null,
  entersCgroup: false,
  operations: [],
};

/** What every start on this rung needs, whatever the job. */
export function aheadOfAll(
  hooks: readonly ExecutionHook[],
  directory: AttemptDirectory,
  rung: ContainmentRung,
): readonly FileOperation[] {
  return hooks.flatMap((hook) => hook.ahead?.(directory, rung) ?? []);
}

/** Rejects with `CannotStart`, or with whatever the machine refused (a full disk). */
export async function prepareAll(
  hooks: readonly ExecutionHook[],
  facts: HookFacts,
  grantedEnv: Readonly<Record<string, string>>,
): Promise<SpawnPlan> {
  let plan = EMPTY_PLAN;
  for (const hook of hooks) {
    const part = await hook.prepare?.({ ...facts, grantedEnv, plan });
    if (part) plan = merge(plan, part);
  }
  return plan;
}

function merge(plan: SpawnPlan, part: SpawnPlanPart): SpawnPlan {
  return {
    ...plan,
    ...part,
    env: { ...plan.env, ...part.env },
    wrapper: [...plan.wrapper, ...(part.wrapper ?? [])],
    prologue: [...plan.prologue, ...(part.prologue ?? [])],
    operations: [...plan.operations, ...(part.operations ?? [])],
  };
}

/** A hook that fails here adds a sentence to the operator's log, never an outcome. */
export async function exitedAll(
  hooks: readonly ExecutionHook[],
  facts: HookFacts,
  log: ExecutionLogger,
): Promise<EndPart> {
  let end: EndPart = {};
  for (const hook of hooks) {
    const part = await guarded(hook, log, async () => (await hook.exited?.(facts)) ?? null);
    if (!part) continue;
    const detail = [end.detail, part.detail].filter(Boolean).join(' ');
    end = { ...end, ...part, ...(detail === '' ? {} : { detail }) };
  }
  return end;
}

/** In reverse. Safe to repeat. What jobs leave behind goes a way of its own, so that no start waits for it. */
export async function cleanupAll(host: CleanupHost, facts: HookFacts): Promise<void> {
  const operations = host.hooks.toReversed().flatMap((hook) => hook.cleanup?.(facts) ?? []);
  // Only what is a file of the job's may refuse to go, so the rest goes first.
  const ordered = [
    ...operations.filter(({ kind }) => kind !== 'remove'),
    ...operations.filter(({ kind }) => kind === 'remove'),
  ];
  await host.removals.runLater(ordered).catch((error: unknown) => {
    host.log.warn({ error }, 'cleaning up after an execution failed');
  });
}

async function guarded<T>(hook: ExecutionHook, log: ExecutionLogger, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    log.warn({ hook: hook.name, error }, 'execution hook failed');
    return null;
  }
}
