import { Option, type Command } from 'commander';
import { CAPABILITIES, CONTAINMENT_RUNGS, ON_WORKER_LOST } from '@muster/protocol';
import type { Capability, ContainmentRung, OnWorkerLost } from '@muster/protocol';
import type { JobSubmission } from '@muster/client';
import {
  intoMap,
  toAmount,
  toBytes,
  toCount,
  toGraceSeconds,
  toMegabytes,
  toSeconds,
  toPriority,
  toWholeSeconds,
} from './units.js';

/** What `submit` and `run` may say about a job. */
export interface JobFlags {
  readonly name?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly label?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly capability?: Capability;
  readonly contentType?: string;
  readonly need?: Readonly<Record<string, string>>;
  readonly cpus?: number;
  readonly memory?: number;
  readonly gpus?: number;
  readonly gpuModel?: string;
  readonly containment?: ContainmentRung;
  readonly timeout?: number;
  readonly queueTimeout?: number;
  readonly silenceTimeout?: number;
  readonly memoryLimit?: number;
  readonly cpuLimit?: number;
  readonly logLimit?: number;
  readonly retries?: number;
  readonly lostRetries?: number;
  readonly retryExitCode?: readonly number[];
  readonly backoff?: number;
  readonly noRetry?: boolean;
  readonly retry?: boolean;
  readonly grace?: number;
  readonly stopSignal?: string;
  readonly exclusive?: boolean;
  readonly onWorkerLost?: OnWorkerLost;
  readonly lostAfter?: number;
  readonly separateLogs?: boolean;
}

const JOB = 'The job:';
const NEEDS = 'What its worker must have:';
const LIMITS = 'Limits and failures:';

/** Adds the options that describe a job. */
export function addJobFlags(command: Command): void {
  const add = <T>(group: string, flags: string, text: string, parse?: (word: string, before: T) => T): void => {
    const option = new Option(flags, text).helpGroup(group);
    command.addOption(parse === undefined ? option : option.argParser(parse));
  };
  add(JOB, '--name <name>', "Name for people; the program's name unless given.");
  add(JOB, '--shell <script>', 'Run this script with /bin/sh instead of a command.');
  add(JOB, '-e, --env <NAME=value>', 'Environment variable; may be repeated.', intoMap);
  add(JOB, '-l, --label <name=value>', 'Label to find it by; may be repeated.', intoMap);
  add(JOB, '--priority <n>', 'From -100 to 100; higher goes first.', toPriority);
  add(JOB, '--separate-logs', 'Keep stdout and stderr apart.');
  command.addOption(new Option('--capability <kind>', 'Kind of worker.').choices(CAPABILITIES).helpGroup(NEEDS));
  add(NEEDS, '--content-type <type>', 'Content type it must take.');
  add(NEEDS, '--need <label=value>', 'Label it must have; `>=550` and `!=old` compare. May be repeated.', intoMap);
  add(NEEDS, '--cpus <n>', 'Processor cores.', toAmount);
  add(NEEDS, '--memory <size>', 'Memory, as in 8G.', toMegabytes);
  add(NEEDS, '--gpus <n>', 'GPUs.', toCount);
  add(NEEDS, '--gpu-model <text>', "Part of the GPU model's name.");
  command.addOption(
    new Option('--containment <rung>', 'How surely its processes must be contained.')
      .choices(CONTAINMENT_RUNGS)
      .helpGroup(NEEDS),
  );
  add(LIMITS, '--timeout <time>', 'Longest run of one attempt, as in 2h.', toWholeSeconds);
  add(LIMITS, '--queue-timeout <time>', 'Longest wait for the first start.', toWholeSeconds);
  add(LIMITS, '--silence-timeout <time>', 'Longest time without output.', toWholeSeconds);
  add(LIMITS, '--memory-limit <size>', 'Memory of the whole process tree.', toMegabytes);
  add(LIMITS, '--cpu-limit <n>', 'Processor cores it may use.', toAmount);
  add(LIMITS, '--log-limit <size>', 'Bytes of log to keep.', toBytes);
  add(LIMITS, '--retries <n>', 'Tries after a failure of the job itself.', toCount);
  add(LIMITS, '--lost-retries <n>', 'Tries after its worker was lost.', toCount);
  add(LIMITS, '--retry-exit-code <n>', 'Only this exit code is retried; may be repeated.', intoCodes);
  add(LIMITS, '--backoff <time>', 'Wait before the first further try; doubles each time.', toSeconds);
  add(LIMITS, '--no-retry', 'Never try again, whatever the cause.');
  add(LIMITS, '--grace <time>', 'Time between the stop signal and KILL.', toGraceSeconds);
  add(LIMITS, '--stop-signal <name>', 'Signal that asks it to stop, as in SIGINT.');
  add(LIMITS, '--exclusive', 'Never two copies alive: it is killed when its worker is cut off.');
  command.addOption(
    new Option('--on-worker-lost <policy>', 'What to do when its worker is lost.')
      .choices(ON_WORKER_LOST)
      .helpGroup(LIMITS),
  );
  add(LIMITS, '--lost-after <time>', 'How long a silent worker keeps it.', toGraceSeconds);
}

function intoCodes(text: string, list: readonly number[] = []): number[] {
  return [...list, toCount(text)];
}

/** The job as the flags describe it, laid over what a file said: flags win, maps are joined. */
export function withFlags(base: Partial<JobSubmission>, flags: JobFlags): Partial<JobSubmission> {
  const needs = given({
    capability: flags.capability,
    contentType: flags.contentType,
    labels: flags.need,
    cpus: flags.cpus,
    memoryMb: flags.memory,
    gpus: flags.gpus,
    gpuModel: flags.gpuModel,
    containment: flags.containment,
  });
  const limits = given({
    runSeconds: flags.timeout,
    queueSeconds: flags.queueTimeout,
    silenceSeconds: flags.silenceTimeout,
    memoryMb: flags.memoryLimit,
    cpus: flags.cpuLimit,
    logBytes: flags.logLimit,
  });
  const retry = given({
    onFailure: flags.retries,
    onWorkerLost: flags.lostRetries,
    exitCodes: flags.retryExitCode,
    backoffSeconds: flags.backoff,
    never: flags.retry === false ? true : undefined,
  });
  const disconnect = given({
    lostAfterSeconds: flags.lostAfter,
    onWorkerLost: flags.onWorkerLost,
    exclusive: flags.exclusive,
  });
  return given({
    ...base,
    name: flags.name ?? base.name,
    priority: flags.priority ?? base.priority,
    graceSeconds: flags.grace ?? base.graceSeconds,
    stopSignal: flags.stopSignal ?? base.stopSignal,
    env: joined(base.env, flags.env),
    labels: joined(base.labels, flags.label),
    needs: joined(base.needs, needs),
    limits: joined(base.limits, limits),
    retry: joined(base.retry, retry),
    disconnect: joined(base.disconnect, disconnect),
    logs: joined(base.logs, flags.separateLogs === true ? { separate: true } : {}),
  });
}

/** Without the fields that nobody set, so that the control plane fills in its defaults. */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function joined<T extends object>(base: T | undefined, more: T | undefined): T | undefined {
  const both = { ...base, ...more } as T;
  return Object.keys(both).length === 0 ? undefined : both;
}
