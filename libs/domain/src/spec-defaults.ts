/** From what was submitted to what will run: defaults filled in, so that a later change of a default changes no accepted job. */
import { LIMITS, TIMES } from '@muster/protocol';
import type { DisconnectPolicy, ExternalRun, FieldError, JobLimits, JobNeeds, JobSpec, OnWorkerLost, PauseMode, RetryPolicy, RunSpec } from '@muster/protocol';
import { checkSpec } from './spec-checks.js';

/** The body of `POST /jobs` for one job, its shape already validated. */
export interface SubmittedJob {
  readonly name?: string;
  readonly run: { readonly command?: readonly string[]; readonly shell?: string; readonly function?: unknown; readonly external?: ExternalRun };
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly needs?: JobNeeds;
  readonly limits?: JobLimits;
  readonly priority?: number;
  readonly graceSeconds?: number;
  readonly stopSignal?: string;
  readonly retry?: Partial<RetryPolicy>;
  readonly disconnect?: Partial<DisconnectPolicy>;
  readonly logs?: { readonly separate?: boolean };
  readonly pause?: PauseMode;
}

/** Retry defaults: infrastructure failures are ours to bear, failures of the job itself are its submitter's business. */
export const RETRY_DEFAULTS = { onFailure: 0, onWorkerLost: 3, backoffSeconds: 5 } as const satisfies RetryPolicy;
export const STOP_SIGNAL_DEFAULT = 'SIGTERM';

export type SpecResult = { readonly ok: true; readonly spec: JobSpec } | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * @param workerTimeoutMs W as configured; the check of an exclusive job's fence needs it
 * @returns every complaint at once, each with a JSON pointer into the job
 */
export function toJobSpec(submitted: SubmittedJob, workerTimeoutMs: number): SpecResult {
  const spec = withDefaults(submitted);
  const errors = checkSpec(spec, submitted, workerTimeoutMs);
  return errors.length === 0 ? { ok: true, spec } : { ok: false, errors };
}

function withDefaults(submitted: SubmittedJob): JobSpec {
  const never = submitted.retry?.never === true;
  const run: RunSpec = defined({ command: submitted.run.command, shell: submitted.run.shell, external: submitted.run.external });
  return {
    name: submitted.name ?? nameOf(run),
    run,
    env: submitted.env ?? {},
    labels: submitted.labels ?? {},
    needs: defined<JobNeeds>(submitted.needs ?? {}),
    limits: { logBytes: LIMITS.logBytesDefault, ...defined<JobLimits>(submitted.limits ?? {}) },
    priority: submitted.priority ?? 0,
    graceSeconds: submitted.graceSeconds ?? TIMES.graceSecondsDefault,
    stopSignal: submitted.stopSignal ?? STOP_SIGNAL_DEFAULT,
    retry: { ...RETRY_DEFAULTS, ...(never ? { onWorkerLost: 0 } : {}), ...defined<Partial<RetryPolicy>>(submitted.retry ?? {}) },
    disconnect: {
      lostAfterSeconds: TIMES.lostAfterSecondsDefault,
      onWorkerLost: onWorkerLostDefault(run, never),
      exclusive: false,
      ...defined<Partial<DisconnectPolicy>>(submitted.disconnect ?? {}),
    },
    logs: { separate: submitted.logs?.separate ?? false },
    pause: submitted.pause ?? 'freeze',
  };
}

/** A fine-tuning run that lost touch goes on for hours and cannot be begun twice: a person decides. */
function onWorkerLostDefault(run: RunSpec, never: boolean): OnWorkerLost {
  if (run.external?.kind === 'finetunelab') return 'wait';
  return never ? 'fail' : 'requeue';
}

/** The program's file name, or the first line of the script: short enough for a list. */
function nameOf(run: RunSpec): string {
  const text = run.command?.[0]?.split('/').at(-1) ?? run.shell?.trim().split('\n')[0] ?? run.external?.kind ?? '';
  // By characters: half of a surrogate pair is no text.
  return [...text].slice(0, 60).join('').trim() || 'job';
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
}
