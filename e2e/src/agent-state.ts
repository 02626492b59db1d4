/** What an agent's state directory tells about the processes it has. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, pids, processesWithArgument, readOfProcess, readText, type Identity } from './processes.js';

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
  const environ = readOfProcess(pid, 'environ');
  const [, attemptsDir, executionId] = /(?:^|\0)MUSTER_WORKSPACE=([^\0]*)\/(exe-[^/\0]+)/.exec(environ) ?? [];
  const jobId = /(?:^|\0)MUSTER_JOB_ID=([^\0]*)/.exec(environ)?.[1];
  return attemptsDir && executionId && jobId ? [{ attemptsDir, executionId, jobId }] : [];
}

/** The supervisor that watches this execution, while it lives and does. */
export function supervisorOf(attemptsDir: string, executionId: string): Identity | null {
  const claim = /^s \S+ (\d+) (\d+)\n/.exec(readText(join(attemptsDir, executionId, 'ident')));
  const identity = claim ? { pid: Number(claim[1]), startTicks: Number(claim[2]) } : null;
  return identity && isAlive(identity) && readOfProcess(identity.pid, 'cmdline').includes('slot.sh') ? identity : null;
}

/** Supervisors of this state directory, busy or idle, with or without an agent. */
export function supervisorsOf(stateDir: string): readonly Identity[] {
  return processesWithArgument(join(stateDir, 'slot.sh'));
}

/** The warden that works for this state directory; null while there is none. */
export function wardenOf(stateDir: string): Identity | null {
  const token = readText(join(stateDir, 'warden.token')).trim();
  return token === '' ? null : (processesWithArgument(token)[0] ?? null);
}

/** Executions whose directory was made before their job is known. */
export function preparedExecutions(stateDir: string): readonly string[] {
  try {
    return readdirSync(join(stateDir, 'ready'));
  } catch {
    return [];
  }
}
