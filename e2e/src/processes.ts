/**
 * What runs on this machine, as /proc tells it. A pid is given to somebody else within milliseconds, so a process is a pid
 * and its start time, and both are compared before a signal.
 */
import { readFileSync, readdirSync } from 'node:fs';

export interface Identity {
  readonly pid: number;
  readonly startTicks: number;
}

export function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/**
 * Living processes whose command line or environment holds the marker. A job in a pid namespace knows other numbers for
 * its processes than we do, so they are found by what they carry; a zombie carries nothing and is not counted.
 */
export function processesMarked(marker: string): number[] {
  return pids().filter(
    (pid) => readOfProcess(pid, 'cmdline').includes(marker) || readOfProcess(pid, 'environ').includes(marker),
  );
}

/** Processes with exactly this word among their arguments. */
export function processesWithArgument(argument: string): readonly Identity[] {
  return pids()
    .filter((pid) => readOfProcess(pid, 'cmdline').split('\0').includes(argument))
    .flatMap((pid) => statOf(pid) ?? []);
}

/** Signals that very process, or nobody. */
export function signal(identity: Identity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, name);
    return true;
  } catch {
    return false;
  }
}

export function isAlive({ pid, startTicks }: Identity): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.startTicks === startTicks && stat.state !== 'Z' && stat.state !== 'X';
}

function statOf(pid: number): (Identity & { readonly state: string }) | null {
  const stat = readOfProcess(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  return stat === '' ? null : { pid, state: fields[0] ?? '?', startTicks: Number(fields[19]) };
}

/** Empty when it ended, or is somebody else's. */
export function readOfProcess(pid: number, file: 'cmdline' | 'environ' | 'stat'): string {
  return readText(`/proc/${pid}/${file}`);
}

/** Byte for byte; empty when it is not there or not ours to read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
