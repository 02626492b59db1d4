// Processor time of process trees, children that already ended included: what a job costs is paid by many short processes.
import { readFileSync, readdirSync } from 'node:fs';

/** What `/proc` counts in: USER_HZ is 100 on every Linux that Node runs on. */
export const TICK_MS = 10;

/** @typedef {{ parent: number, ownTicks: number, childTicks: number }} ProcessTime */

/** Fields of proc(5)'s `stat`: parent, own time in user and kernel mode, and that of ended and waited-for children. */
export function parseStat(text) {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const sum = (...at) => at.reduce((total, index) => total + Number(fields[index]), 0);
  return { parent: Number(fields[1]), ownTicks: sum(11, 12), childTicks: sum(13, 14) };
}

/**
 * Milliseconds used by each part. A process belongs to the nearest root above it; what stands below a root that is split
 * counts as `below`.
 *
 * @param {ReadonlyMap<number, ProcessTime>} processes
 * @param {readonly { pid: number, name: string, below?: string }[]} roots
 * @returns {Record<string, number>}
 */
export function cpuOfParts(processes, roots) {
  const byPid = new Map(roots.map((root) => [root.pid, root]));
  const parts = Object.fromEntries(
    roots.flatMap(({ name, below }) => (below ? [name, below] : [name])).map((name) => [name, 0]),
  );
  for (const [pid, { ownTicks, childTicks }] of processes) {
    const root = nearestRoot(processes, byPid, pid);
    if (root === undefined) continue;
    if (root.below === undefined) parts[root.name] += (ownTicks + childTicks) * TICK_MS;
    else if (root.pid === pid) {
      parts[root.name] += ownTicks * TICK_MS;
      parts[root.below] += childTicks * TICK_MS;
    } else parts[root.below] += (ownTicks + childTicks) * TICK_MS;
  }
  return parts;
}

function nearestRoot(processes, byPid, pid) {
  for (let at = pid, depth = 0; at > 1 && depth < 64; at = processes.get(at)?.parent ?? 0, depth++) {
    const root = byPid.get(at);
    if (root !== undefined) return root;
  }
  return undefined;
}

/** Every process of this machine. */
export function readProcesses() {
  const all = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      all.set(Number(name), parseStat(readFileSync(`/proc/${name}/stat`, 'utf8')));
    } catch {
      // It ended while we looked.
    }
  }
  return all;
}

/** What each part used between two looks, per unit of work, and all of them together. */
export function cpuBetween(before, after, units) {
  const perUnit = Object.fromEntries(
    Object.keys(after).map((name) => [name, Math.max(0, after[name] - (before[name] ?? 0)) / units]),
  );
  return { total: Object.values(perUnit).reduce((sum, ms) => sum + ms, 0), parts: perUnit };
}
