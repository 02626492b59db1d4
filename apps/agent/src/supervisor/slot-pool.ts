import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@muster/runtime';
import { SLOT_SCRIPT } from './slot-script.js';

/** What a supervisor says. All are hints: the attempt's directory is the truth. */
export interface SlotListener {
  /** The end of this execution is on disk. */
  ended(executionId: string): void;
  /** The directory was claimed before; this supervisor touched nothing. */
  refused(executionId: string): void;
  /** The supervisor died while it had this execution; how far it came stands in the directory. */
  supervisorLost(executionId: string): void;
  /** It waited for a supervisor past its last moment; none has heard of it or will. */
  tooLate(executionId: string): void;
}

export interface StartOrder {
  /** The job enters the control group named after its execution. */
  readonly inCgroup: boolean;
  /** Last moment (boot clock, milliseconds) at which a supervisor may be told. */
  readonly notAfterMs: number;
}

export interface SlotPoolOptions {
  readonly size: number;
  readonly shellPath: string;
  readonly stateDir: string;
  readonly attemptsDir: string;
  /** Where the supervisors find cgroups named after executions; empty when there are none. */
  readonly cgroupRoot: string;
  readonly listener: SlotListener;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly warn: (fields: Record<string, unknown>, message: string) => void;
}

interface Supervisor {
  readonly child: ChildProcess;
  /** The execution it was given and has not finished; null when it is free. */
  busyWith: string | null;
  partialLine: string;
}

const RESPAWN_FIRST_MS = 50;
const RESPAWN_MAX_MS = 5_000;

/**
 * One warm `/bin/sh` per slot, each in its own session, started once while the agent is small: Node's spawn copies the
 * whole process and starves timers when done per job.
 *
 * When the agent dies, idle supervisors end at end of file and busy ones finish their job; the next agent starts its own.
 */
export class SlotPool {
  private readonly supervisors = new Set<Supervisor>();
  private readonly waiting: { readonly executionId: string; readonly order: StartOrder }[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private scriptPath = '';
  private respawnMs = RESPAWN_FIRST_MS;
  private isClosed = false;

  constructor(private readonly options: SlotPoolOptions) {}

  /** Starts all supervisors at once. */
  async open(): Promise<void> {
    this.scriptPath = await installScript(this.options.stateDir, 'slot.sh', SLOT_SCRIPT);
    for (let i = 0; i < this.options.size; i++) this.spawn();
  }

  /** Hands an execution over; waits in line when no supervisor is free just now (one is being replaced). */
  start(executionId: string, order: StartOrder): void {
    const free = [...this.supervisors].find((one) => one.busyWith === null);
    if (free) this.give(free, executionId, order.inCgroup);
    else this.waiting.push({ executionId, order });
  }

  /** Takes back an execution no supervisor has heard of. False when one has. */
  takeBack(executionId: string): boolean {
    const index = this.waiting.findIndex((one) => one.executionId === executionId);
    if (index < 0) return false;
    this.waiting.splice(index, 1);
    return true;
  }

  /** Lets go: idle supervisors end, busy ones finish their job without anybody listening. */
  close(): void {
    this.isClosed = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const { child } of this.supervisors) {
      child.stdin?.end();
      child.stdout?.destroy();
      child.unref();
    }
    this.supervisors.clear();
  }

  private give(supervisor: Supervisor, executionId: string, inCgroup: boolean): void {
    supervisor.busyWith = executionId;
    supervisor.child.stdin?.write(inCgroup ? `${executionId} c\n` : `${executionId}\n`);
  }

  private spawn(): void {
    const { options } = this;
    const log = openSync(join(options.stateDir, 'supervisors.log'), 'a', 0o600);
    const child = spawn(options.shellPath, [this.scriptPath, options.cgroupRoot], {
      detached: true,
      stdio: ['pipe', 'pipe', log],
      cwd: options.attemptsDir,
      env: {},
    });
    closeSync(log);
    const supervisor: Supervisor = { child, busyWith: null, partialLine: '' };
    this.supervisors.add(supervisor);
    child.stdout?.setEncoding('latin1').on('data', (text: string) => this.hear(supervisor, text));
    child.stdout?.on('error', () => undefined);
    // A write to a supervisor that just died fails here; its exit is what counts.
    child.stdin?.on('error', () => undefined);
    child.once('error', (error) => this.lose(supervisor, { error: error.message }));
    // `close` and not `exit`: event lines written before the death are heard first.
    child.once('close', (code, signal) => this.lose(supervisor, { code, signal }));
    this.serveWaiting(supervisor);
  }

  private hear(supervisor: Supervisor, text: string): void {
    this.respawnMs = RESPAWN_FIRST_MS;
    const lines = (supervisor.partialLine + text).split('\n');
    supervisor.partialLine = lines.pop() ?? '';
    for (const line of lines) {
      const [kind, first, second] = line.split(' ');
      const executionId = kind === 'e' ? second : first;
      if (executionId === undefined || (kind !== 'e' && kind !== 'r')) continue;
      supervisor.busyWith = null;
      if (kind === 'e') this.options.listener.ended(executionId);
      else this.options.listener.refused(executionId);
    }
    this.serveWaiting(supervisor);
  }

  private serveWaiting(supervisor: Supervisor): void {
    while (supervisor.busyWith === null) {
      const next = this.waiting.shift();
      if (!next) return;
      const { executionId, order } = next;
      if (this.options.clock.monotonicMs() > order.notAfterMs) this.options.listener.tooLate(executionId);
      else this.give(supervisor, executionId, order.inCgroup);
    }
  }

  private lose(supervisor: Supervisor, how: Record<string, unknown>): void {
    if (!this.supervisors.delete(supervisor) || this.isClosed) return;
    const { busyWith } = supervisor;
    this.options.warn({ ...how, executionId: busyWith }, 'supervisor of a slot died');
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.spawn();
    }, this.respawnMs);
    this.timers.add(timer);
    this.respawnMs = Math.min(this.respawnMs * 2, RESPAWN_MAX_MS);
    if (busyWith !== null) this.options.listener.supervisorLost(busyWith);
  }
}

/** Puts a script where a shell can read it. By rename, because a shell that still runs the old text reads on in its file. */
export async function installScript(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, text, { mode: 0o700 });
  await rename(fresh, path);
  return path;
}
