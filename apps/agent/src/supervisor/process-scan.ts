/** One look at every process of the machine. */
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { cookieIn, readEnvironment } from './process-environment.js';
import { readStat, type ProcessStat } from './process-identity.js';

/** Its stat and the cookie it carries, if it carries one we may read. */
export interface MarkedProcess extends ProcessStat {
  readonly cookie: string | null;
}

/** Where a look looks. */
export interface ProcessTable {
  /** Names of /proc, what is no process among them. */
  names(): Promise<readonly string[]>;
  /** The same at once. */
  namesNow(): readonly string[];
  stat(pid: number): ProcessStat | null;
  /** Null where it is gone, somebody else's or not to be had in time; empty amid exec. Never rejects. */
  environment(process: ProcessStat): Promise<Buffer | null>;
}

export const PROC: ProcessTable = {
  names: () => readdir('/proc'),
  namesNow: () => readdirSync('/proc'),
  stat: readStat,
  environment: readEnvironment,
};

/** On a busy machine somebody is always new. */
const NEWCOMER_ROUNDS = 12;

/**
 * Reads every process's environment, yielding between them: on a big machine a look takes tens of milliseconds. Then who
 * was made meanwhile, again and again until nobody is new: somebody who lives for five milliseconds and leaves a successor
 * would never be met otherwise. Nothing here waits for another process on the main thread.
 */
export async function scanProcesses(table: ProcessTable = PROC): Promise<MarkedProcess[]> {
  const look = new Look(table);
  for (const name of await table.names()) await look.first(name);
  for (let round = 0; round < NEWCOMER_ROUNDS; round++) {
    const newcomers = look.newcomers();
    if (newcomers.length === 0) break;
    // All at once and the newest first: it may be gone in a moment.
    await Promise.all(newcomers.reverse().map((name) => look.again(name)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return look.finish();
}

class Look {
  private readonly found = new Map<number, MarkedProcess>();
  private readonly seen = new Set<string>();
  /** Newcomers that had no environment when they were asked first: amid exec, or for good. */
  private readonly bare = new Set<string>();
  /** Waiting for a device, as it seems: whoever reads their memory may wait with them, so they come last. */
  private readonly waiting: ProcessStat[] = [];

  constructor(private readonly table: ProcessTable) {}

  newcomers(): string[] {
    return this.table.namesNow().filter((name) => !this.seen.has(name));
  }

  async first(name: string): Promise<void> {
    this.seen.add(name);
    await this.at(name);
  }

  /** Who has no environment is asked in one more round. */
  async again(name: string): Promise<void> {
    const isBare = (await this.at(name))?.length === 0;
    if (!isBare || this.bare.has(name)) this.seen.add(name);
    else this.bare.add(name);
  }

  async finish(): Promise<MarkedProcess[]> {
    await Promise.all(this.waiting.map((one) => this.read(one)));
    return [...this.found.values()];
  }

  private async at(name: string): Promise<Buffer | null> {
    const stat = this.statOf(name);
    if (stat === null) return null;
    if (stat.state !== 'D') return this.read(stat);
    this.found.set(stat.pid, { ...stat, cookie: null });
    this.waiting.push(stat);
    return null;
  }

  private async read(stat: ProcessStat): Promise<Buffer | null> {
    const environment = await this.table.environment(stat);
    this.found.set(stat.pid, { ...stat, cookie: cookieIn(environment) });
    return environment;
  }

  /** Null for what is no process, and for the dead and the kernel's own threads, which nobody needs to look at. */
  private statOf(name: string): ProcessStat | null {
    const pid = Number(name);
    const stat = Number.isInteger(pid) && pid > 0 ? this.table.stat(pid) : null;
    return stat === null || stat.state === 'Z' || stat.state === 'X' || isOfKernel(stat) ? null : stat;
  }
}

/** Kernel threads: pid 2 and its children, in the machine's own pid namespace. They have no environment to look at. */
function isOfKernel(stat: ProcessStat): boolean {
  return stat.groupId === 0 && stat.sessionId === 0 && (stat.pid === 2 || stat.parentPid === 2);
}

/**
 * Shares looks among everybody who waits for one: a look serves those who asked before it began, so a hundred endings at
 * once cost two looks and not a hundred.
 */
export class SharedScan {
  private current: Promise<MarkedProcess[]> | null = null;
  private next: Promise<MarkedProcess[]> | null = null;

  /** A look that began after this call. */
  fresh(): Promise<MarkedProcess[]> {
    this.next ??= this.begin(this.current);
    return this.next;
  }

  private async begin(previous: Promise<MarkedProcess[]> | null): Promise<MarkedProcess[]> {
    await previous?.catch(() => undefined);
    await Promise.resolve();
    const scan = scanProcesses();
    this.current = scan;
    this.next = null;
    return scan;
  }
}
