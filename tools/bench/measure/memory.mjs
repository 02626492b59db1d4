// Memory of processes and of trees of them, in MiB.
import { readFileSync } from 'node:fs';
import { readProcesses } from './cpu-accounting.mjs';

/** RSS counts shared pages in full, PSS its share of them; both 0 for a process that is gone. */
export function memoryOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return { rssMb: kib('Rss') / 1024, pssMb: kib('Pss') / 1024 };
  } catch {
    return { rssMb: 0, pssMb: 0 };
  }
}

/** Processes at and below `root`. */
export function pidsBelow(root) {
  const processes = readProcesses();
  const isBelow = (pid) => {
    for (let at = pid, depth = 0; at > 1 && depth < 64; at = processes.get(at)?.parent ?? 0, depth++)
      if (at === root) return true;
    return false;
  };
  return [...processes.keys()].filter(isBelow);
}

export function memoryOfTree(root) {
  return pidsBelow(root)
    .map(memoryOf)
    .reduce((sum, one) => ({ rssMb: sum.rssMb + one.rssMb, pssMb: sum.pssMb + one.pssMb }), { rssMb: 0, pssMb: 0 });
}

/** Watches the RSS of one process until told to stop; answers the highest it saw. */
export function watchMemory(pid, everyMs = 100) {
  let highest = memoryOf(pid).rssMb;
  const timer = setInterval(() => (highest = Math.max(highest, memoryOf(pid).rssMb)), everyMs);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(highest, memoryOf(pid).rssMb);
    },
  };
}
