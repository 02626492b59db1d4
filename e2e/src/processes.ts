import { readFileSync, readdirSync } from 'node:fs';

/**
 * Living processes whose command line or environment holds the marker. A job in a pid namespace knows other numbers for
 * its processes than we do, so they are found by what they carry; a zombie carries nothing and is not counted.
 */
export function processesMarked(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && (holds(name, 'cmdline', marker) || holds(name, 'environ', marker)))
    .map(Number);
}

function holds(pid: string, file: 'cmdline' | 'environ', marker: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(marker);
  } catch {
    // It ended while we looked, or is somebody else's.
    return false;
  }
}
