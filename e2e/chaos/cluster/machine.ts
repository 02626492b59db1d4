/** What runs on this machine, as /proc tells it. A process is a pid and its start time; both are compared before a signal. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Identity {
  readonly pid: number;
  readonly startTicks: number;
}

/** A process of a job on an agent. */
export interface JobProcess {
  readonly executionId: string;
  readonly jobId: string;
}

interface Seen extends JobProcess {
  readonly attemptsDir: string;
}

/** A look at every process takes milliseconds in which nothing else happens here: it serves all who ask within this time. */
const LOOK_SERVES_MS = 80;
let look: { readonly atMs: number; readonly seen: readonly Seen[] } = { atMs: -Infinity, seen: [] };

/** Executions below this attempts folder with a living process of their job, found by what that carries. */
export function runningJobs(attemptsDir: string): readonly JobProcess[] {
  if (performance.now() - look.atMs > LOOK_SERVES_MS) look = { atMs: performance.now(), seen: pids().flatMap(jobOf) };
  const mine = look.seen.filter((one) => one.attemptsDir === attemptsDir);
  return [...new Map(mine.map((one) => [one.executionId, one])).values()];
}

function jobOf(pid: number): readonly Seen[] {
  const environ = read(pid, 'environ');
  const [, attemptsDir, executionId] = /(?:^|\0)MUSTER_WORKSPACE=([^\0]*)\/(exe-[^/\0]+)/.exec(environ) ?? [];
  const jobId = /(?:^|\0)MUSTER_JOB_ID=([^\0]*)/.exec(environ)?.[1];
  return attemptsDir && executionId && jobId ? [{ attemptsDir, executionId, jobId }] : [];
}

/** The supervisor that watches this execution, while it lives and does. */
export function supervisorOf(attemptsDir: string, executionId: string): Identity | null {
  const claim = /^s \S+ (\d+) (\d+)\n/.exec(text(join(attemptsDir, executionId, 'ident')));
  const identity = claim ? { pid: Number(claim[1]), startTicks: Number(claim[2]) } : null;
  return identity && isAlive(identity) && read(identity.pid, 'cmdline').includes('slot.sh') ? identity : null;
}

/** Supervisors of this state directory, busy or idle, with or without an agent. */
export function supervisorsOf(stateDir: string): readonly Identity[] {
  return withArgument(join(stateDir, 'slot.sh'));
}

/** The warden that works for this state directory; null while there is none. */
export function wardenOf(stateDir: string): Identity | null {
  const token = text(join(stateDir, 'warden.token')).trim();
  return token === '' ? null : (withArgument(token)[0] ?? null);
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

function withArgument(argument: string): readonly Identity[] {
  return pids()
    .filter((pid) => read(pid, 'cmdline').split('\0').includes(argument))
    .flatMap((pid) => statOf(pid) ?? []);
}

function statOf(pid: number): (Identity & { state: string }) | null {
  const stat = read(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  return stat === '' ? null : { pid, state: fields[0] ?? '?', startTicks: Number(fields[19]) };
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function read(pid: number, file: 'cmdline' | 'environ' | 'stat'): string {
  return text(`/proc/${pid}/${file}`);
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
