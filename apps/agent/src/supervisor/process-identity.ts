/**
 * Who a process is: (boot id, pid, start time). A pid alone is reused within milliseconds in a small pid space, so every
 * signal is preceded by a comparison of the start time.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/PID/stat`: clock ticks between boot and the start of the process. */
  readonly startTicks: number;
}

/** The fields of `/proc/PID/stat` that this agent uses. */
export interface ProcessStat extends ProcessIdentity {
  /** One letter: R running, S sleeping, D waiting for a device, T stopped, Z dead and not collected, X gone. */
  readonly state: string;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** Processor time of the process and of its collected children, clock ticks. */
  readonly cpuTicks: number;
}

/** `sysconf(_SC_CLK_TCK)`; 100 on every Linux that Node runs on. */
export const TICKS_PER_SECOND = 100;

/** Cut after the last `) `: the name in brackets may itself hold spaces and brackets. */
export function parseStat(text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  const pid = Number.parseInt(text, 10);
  const number = (field: number): number => Number(fields[field - 3]);
  if (!Number.isInteger(pid) || !Number.isInteger(number(22))) return null;
  return {
    pid,
    state: fields[0] ?? '?',
    parentPid: number(4),
    groupId: number(5),
    sessionId: number(6),
    startTicks: number(22),
    cpuTicks: number(14) + number(15) + number(16) + number(17),
  };
}

const buffer = Buffer.alloc(1024);

/** Null when there is no such process (any more). Reading /proc never waits for a disk. */
export function readStat(pid: number): ProcessStat | null {
  let file: number;
  try {
    file = openSync(`/proc/${pid}/stat`, 'r');
  } catch {
    return null;
  }
  try {
    return parseStat(buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0)));
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

/** True while this very process exists and is not merely waiting to be collected. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  return stat !== null && stat.startTicks === identity.startTicks && stat.state !== 'Z' && stat.state !== 'X';
}

/** True for the group this agent is in itself: whoever started it may lead it. */
export function isOwnGroup(groupId: number): boolean {
  return readStat(process.pid)?.groupId === groupId;
}

/**
 * Signals this very process, or with `toGroup` the group it leads (the process alone where it leads none yet, or one that
 * this agent is in). False when it is gone or somebody else has its pid, and for this agent itself.
 */
export function signalIdentity(identity: ProcessIdentity, signal: NodeJS.Signals, toGroup = false): boolean {
  const stat = readStat(identity.pid);
  if (stat === null || stat.startTicks !== identity.startTicks || identity.pid === process.pid) return false;
  const leads = toGroup && stat.groupId === identity.pid && !isOwnGroup(identity.pid);
  try {
    process.kill(leads ? -identity.pid : identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Differs after every reboot, and only then. Empty where the kernel does not tell. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** Seconds since boot, suspended time included, in hundredths: the clock of supervisor, warden and kernel start times. */
export function readUptimeSeconds(): number {
  return Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
}
