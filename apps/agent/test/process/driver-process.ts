/** Runs `fixtures/manager-driver.ts` as a process of its own, bundled once per test file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainmentRung } from '@muster/protocol';
import { build } from 'esbuild';
import type { ExecutionEnd, ExecutionView } from '../../src/execution/execution-types.js';
import { eventually, FIXTURES } from './manager-harness.js';

export interface DriverLine {
  readonly kind: 'running' | 'ended' | 'recovered' | 'ready' | 'accepted' | 'allStarted';
  readonly attemptId?: string;
  readonly executionId?: string;
  readonly end?: ExecutionEnd;
  readonly recovered?: 'adopted' | 'ended' | 'neverStarted';
  readonly ref?: { readonly attemptId: string; readonly epoch: number };
  readonly view?: ExecutionView;
}

/** Owns nothing on any Linux. */
const NOBODY = 65_534;

export class DriverProgram {
  private constructor(
    private readonly folder: string,
    private readonly path: string,
  ) {}

  static async build(): Promise<DriverProgram> {
    const folder = mkdtempSync(join(tmpdir(), 'muster-driver-'));
    const path = join(folder, 'manager-driver.mjs');
    await build({
      entryPoints: [join(FIXTURES, 'manager-driver.ts')],
      outfile: path,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@muster/source'],
      logLevel: 'error',
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
      },
    });
    chmodSync(folder, 0o755);
    return new DriverProgram(folder, path);
  }

  /** As somebody whom permissions bind, also where the tests run as root. The state directory becomes theirs. */
  startUnprivileged(stateDir: string, slots: number, orders: readonly unknown[]): Driver {
    if (process.getuid?.() !== 0) return this.start(stateDir, slots, orders);
    chownSync(stateDir, NOBODY, NOBODY);
    return this.start(stateDir, slots, orders, {}, { uid: NOBODY, gid: NOBODY });
  }

  start(
    stateDir: string,
    slots: number,
    orders: readonly unknown[],
    env: Record<string, string> = {},
    how: { readonly uid?: number; readonly gid?: number; readonly containment?: ContainmentRung } = {},
  ): Driver {
    const { containment, ...user } = how;
    const rung = containment === undefined ? [] : [containment];
    return new Driver(
      spawn(process.execPath, [this.path, stateDir, String(slots), JSON.stringify(orders), ...rung], {
        stdio: ['pipe', 'pipe', process.env.MUSTER_TEST_LOG ? 'inherit' : 'ignore'],
        env: { ...process.env, ...env },
        ...user,
      }),
    );
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Driver {
  readonly lines: DriverLine[] = [];
  private rest = '';
  private readonly gone: Promise<void>;

  constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      this.lines.push(...lines.map((line) => JSON.parse(line) as DriverLine));
    });
    this.gone = new Promise((resolve) => child.once('close', () => resolve()));
  }

  /** Resolves to the first line that fits; fails when the program ends before it says so. */
  async says(what: string, fits: (line: DriverLine) => boolean): Promise<DriverLine> {
    return eventually(`the driver says ${what}`, () => {
      const line = this.lines.find(fits);
      if (!line && this.child.exitCode !== null)
        throw new Error(`The driver ended with ${this.child.exitCode} before it said ${what}.`);
      return line ?? null;
    });
  }

  ready(): Promise<DriverLine> {
    return this.says('ready', (line) => line.kind === 'ready');
  }

  ended(attemptId: string): Promise<DriverLine> {
    return this.says(`that ${attemptId} ended`, (line) => line.kind === 'ended' && line.attemptId === attemptId);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  /** Resolves when it ended by itself, as it does at a crash point. */
  async dies(): Promise<void> {
    await this.gone;
  }

  async quit(): Promise<void> {
    this.child.stdin?.end();
    await this.gone;
  }
}
