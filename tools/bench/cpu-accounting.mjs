// Processor time of process trees, children that already ended included: what a job costs is paid by many short processes.
import { readFileSync, readdirSync } from 'node:fs';

const TICK_MS = 10;

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // Fields 4 and 14-17 of proc(5): parent, own time in user and kernel mode, and that of ended and waited-for children.
    return { parent: Number(fields[1]), ticks: [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) };
  } catch {
    return null;
  }
}

/** Milliseconds of processor time that the trees below `roots` have used up to now. */
export function cpuMsOf(roots) {
  const all = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(name);
    if (stat) all.set(Number(name), stat);
  }
  let ticks = 0;
  for (const [pid, stat] of all) {
    for (let at = pid, depth = 0; at > 1 && depth < 64; at = all.get(at)?.parent ?? 0, depth++) {
      if (!roots.includes(at)) continue;
      ticks += stat.ticks;
      break;
    }
  }
  return ticks * TICK_MS;
}
