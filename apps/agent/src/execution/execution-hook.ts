/**
 * One concern around one process.
 *
 *     prepare ──▶ (supervisor starts the job) ──▶ exited ──▶ end on disk, `ended` ──▶ cleanup
 *        │ throws CannotStart                                                            ▲
 *        └──▶ end `spawnFailed` or `inputFailed` on disk, `ended` ───────────────────────┘
 *
 * `prepare` runs in list order; `exited` in list order, `cleanup` in reverse, both also for hooks whose `prepare` never
 * ran and also in a later life of the agent. Hooks return parts; nobody but the runner merges them.
 */
import type { ContainmentRung, Outcome } from '@muster/protocol';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileOperation } from '../supervisor/file-thread.js';
import type { Intent } from './intent.js';

/** What every hook may know. */
export interface HookFacts {
  readonly intent: Intent;
  readonly directory: AttemptDirectory;
}

export interface PrepareFacts extends HookFacts {
  /** From the grant: wins over the job's own variables. */
  readonly grantedEnv: Readonly<Record<string, string>>;
  /** Merged from the hooks before this one. */
  readonly plan: SpawnPlan;
}

/** All that is needed to write the run script. */
export interface SpawnPlan {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Program (absolute path once resolved) and arguments; empty until the last hook. */
  readonly command: readonly string[];
  readonly wrapper: readonly string[];
  readonly prologue: readonly string[];
  readonly streams: { readonly stdout: string; readonly stderr: string } | null;
  readonly entersCgroup: boolean;
  /** Done in one go with the run script, before a supervisor hears of the execution. */
  readonly operations: readonly FileOperation[];
}

/** `env` is laid over, lists are appended, the rest replaces. */
export type SpawnPlanPart = Partial<SpawnPlan>;

/** What an `exited` hook adds to the end. Sentences are joined. */
export interface EndPart {
  readonly result?: unknown;
  readonly detail?: string;
}

export interface ExecutionHook {
  readonly name: string;
  /** What every start on this rung needs, made while nobody waits for it; `directory` may move before the start. */
  ahead?(directory: AttemptDirectory, rung: ContainmentRung): readonly FileOperation[];
  /** Before the process exists. Throws `CannotStart` with the sentence people read. */
  prepare?(facts: PrepareFacts): Promise<SpawnPlanPart | null> | SpawnPlanPart | null;
  /** The tree is gone, whatever the reason; runs before the end is told. Not run when nothing was started. */
  exited?(facts: HookFacts): Promise<EndPart | null>;
  /** Names what is to be removed; must be idempotent. Failures are logged and change nothing. */
  cleanup?(facts: HookFacts): readonly FileOperation[];
}

/** Nothing was started, for a reason that lies in the job or in this machine. */
export class CannotStart extends Error {
  readonly code = 'cannotStart';
  constructor(
    readonly outcome: Extract<Outcome, 'spawnFailed' | 'inputFailed'>,
    sentence: string,
  ) {
    super(sentence);
    this.name = 'CannotStart';
  }
}
