/** A real manager on a state directory of its own, and the shortest way to run one job through it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '@muster/runtime';
import { toId, type ContainmentRung, type JobSpec } from '@muster/protocol';
import { cgroupBases, cgroupNameOf } from '../../src/containment/probe.js';
import { openExecutionManager } from '../../src/execution/open-execution-manager.js';
import type {
  ExecutionEnd,
  ExecutionId,
  ExecutionLogger,
  ExecutionManager,
  ExecutionOffer,
  StartGrant,
} from '../../src/execution/execution-types.js';
import { scanProcesses } from '../../src/supervisor/process-tree.js';

/** Of every manager these tests open: moments in grants are moments on it. */
export const clock = createSystemClock();

export const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

let made = 0;

/** Valid as it is; a test overrides what it is about. */
export function aSpec(overrides: Partial<JobSpec> = {}): JobSpec {
  return {
    name: 'test',
    run: { command: ['/bin/true'] },
    env: {},
    labels: {},
    needs: {},
    limits: {},
    priority: 0,
    graceSeconds: 10,
    stopSignal: 'SIGTERM',
    retry: { onFailure: 0, onWorkerLost: 0, backoffSeconds: 1 },
    disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false },
    logs: { separate: false },
    ...overrides,
  };
}

export function anOffer(spec: Partial<JobSpec> = {}, offer: Partial<ExecutionOffer> = {}): ExecutionOffer {
  made += 1;
  const random = new Uint8Array([process.pid & 255, made >> 8, made & 255, 0, 0, 0, 0, 0, 0, 0]);
  const attemptId = toId('att', Date.now(), random);
  return {
    attemptId,
    epoch: 1,
    jobId: toId('job', Date.now(), random),
    number: 1,
    spec: aSpec(spec),
    gpus: [],
    ...offer,
  };
}

/** Lines go nowhere unless a test fails to explain itself: set MUSTER_TEST_LOG to see them. */
export const testLogger: ExecutionLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, message) => shout(fields, message),
  error: (fields, message) => shout(fields, message),
};

function shout(fields: Record<string, unknown>, message: string): void {
  if (process.env.MUSTER_TEST_LOG) process.stderr.write(`${message} ${JSON.stringify(fields, errorsAsText)}\n`);
}

const errorsAsText = (_key: string, value: unknown): unknown => (value instanceof Error ? value.stack : value);

export interface HarnessOptions {
  readonly slots?: number;
  readonly containment?: ContainmentRung;
  readonly stateDir?: string;
  readonly environment?: Record<string, string | undefined>;
}

export class ManagerHarness {
  private readonly ends = new Map<ExecutionId, ExecutionEnd>();

  private constructor(
    readonly manager: ExecutionManager,
    readonly stateDir: string,
  ) {
    manager.on('ended', (view) => this.ends.set(view.executionId, view.end));
  }

  static async open(options: HarnessOptions = {}): Promise<ManagerHarness> {
    const stateDir = options.stateDir ?? aStateDir();
    const manager = await openExecutionManager({
      stateDir,
      slots: options.slots ?? 2,
      logger: testLogger,
      clock,
      environment: options.environment ?? process.env,
      ...(options.containment ? { containment: options.containment } : {}),
    });
    return new ManagerHarness(manager, stateDir);
  }

  accept(spec: Partial<JobSpec>): Promise<ExecutionId> {
    return this.manager.accept(anOffer(spec));
  }

  async begin(
    spec: Partial<JobSpec>,
    grant: StartGrant = {},
    offer: Partial<ExecutionOffer> = {},
  ): Promise<ExecutionId> {
    const executionId = await this.manager.accept(anOffer(spec, offer));
    await this.manager.start(executionId, grant);
    return executionId;
  }

  async run(spec: Partial<JobSpec>, grant: StartGrant = {}, offer: Partial<ExecutionOffer> = {}): Promise<Ran> {
    const executionId = await this.begin(spec, grant, offer);
    return { executionId, end: await this.end(executionId), log: this.log(executionId) };
  }

  async end(executionId: ExecutionId): Promise<ExecutionEnd> {
    return eventually('the execution ends', () => this.ends.get(executionId) ?? null);
  }

  log(executionId: ExecutionId, stream: 'output' | 'stdout' | 'stderr' = 'output'): string {
    return readText(this.manager.paths(executionId).logs[stream] ?? '');
  }

  /** Waits until the job has printed this. */
  async printed(executionId: ExecutionId, text: string): Promise<string> {
    return eventually(`the job prints ${JSON.stringify(text)}`, () => {
      const log = this.log(executionId);
      return log.includes(text) ? log : null;
    });
  }

  /** Ends whatever still runs, also what a failed test left. */
  async destroy(): Promise<void> {
    for (const view of this.manager.list()) {
      if (view.phase === 'exited') continue;
      await this.manager.stop(view.executionId, { kind: 'forceStop', graceSeconds: 0, reason: 'stopped' });
      if (view.phase !== 'accepted') await this.end(view.executionId).catch(() => undefined);
    }
    await this.manager.close();
    removeStateDir(this.stateDir);
  }
}

export interface Ran {
  readonly executionId: ExecutionId;
  readonly end: ExecutionEnd;
  readonly log: string;
}

export const aStateDir = (): string => mkdtempSync(join(tmpdir(), 'muster-agent-'));

/** Asks every 10 ms until the answer is not null; fails with what was waited for. */
export async function eventually<T>(
  what: string,
  ask: () => T | null | Promise<T | null>,
  deadlineMs = 45_000,
): Promise<T> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > giveUpAt) throw new Error(`Waited ${deadlineMs / 1_000} s in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Removes a state directory and the control groups an agent that was killed left for the next one. */
export function removeStateDir(stateDir: string): void {
  const bases = cgroupBases(readText('/proc/self/mounts'), readText('/proc/self/cgroup'));
  for (const root of bases.map((base) => join(base, cgroupNameOf(stateDir)))) {
    if (!existsSync(root)) continue;
    for (const name of readdirSync(root)) if (name.startsWith('exe-')) removeGroup(join(root, name));
    removeGroup(root);
  }
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 });
}

/** What was just killed may need a moment to leave its group. */
export function removeGroup(path: string): void {
  for (let round = 0; round < 200; round++) {
    try {
      return rmdirSync(path);
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

export function readText(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) ? readFileSync(path, 'utf8') : '';
}

/** Pids of live processes that carry this text in their command line; the programs of the tests themselves left out. */
export async function pidsOf(commandLine: string): Promise<number[]> {
  const pids: number[] = [];
  for (const one of await scanProcesses()) {
    const words = readProc(one.pid, 'cmdline').replaceAll('\0', ' ');
    if (words.includes(commandLine) && !words.includes('manager-driver')) pids.push(one.pid);
  }
  return pids;
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
