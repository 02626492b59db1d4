import { openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Reads milliseconds since boot, suspended time included; `undefined` where the platform does not tell. */
export type UptimeReader = () => number | undefined;

/** How long a reading is relied on, counted while the machine is awake. */
const RELIED_ON_MS = 100;
/** The two clocks that cost nothing to read drift apart by less than this in that time, unless one of them was moved. */
const APART_MS = 10;

export interface CheapClocks {
  /** Stands still while the machine is suspended. */
  awakeMs(): number;
  /** Goes on while the machine is suspended; may be set. */
  wallMs(): number;
}

const CLOCKS: CheapClocks = { awakeMs: () => performance.now(), wallMs: () => Date.now() };

/**
 * Counts on from the last reading as long as nothing can have happened to it: a suspension moves the wall clock and not the one
 * that counts awake time, and then, or after a moment, it is read anew. An agent asks thirty times for each short job.
 */
export function relyingOn(read: UptimeReader, clocks: CheapClocks = CLOCKS): UptimeReader {
  let last: { readonly uptimeMs: number; readonly awakeMs: number; readonly wallMs: number } | undefined;
  return () => {
    const awakeMs = clocks.awakeMs();
    const wallMs = clocks.wallMs();
    const sinceMs = last === undefined ? Infinity : awakeMs - last.awakeMs;
    if (last !== undefined && sinceMs < RELIED_ON_MS && Math.abs(wallMs - last.wallMs - sinceMs) < APART_MS) return last.uptimeMs + sinceMs;
    const uptimeMs = read();
    last = uptimeMs === undefined ? undefined : { uptimeMs, awakeMs, wallMs };
    return uptimeMs;
  };
}

/** Keeps `/proc/uptime` open: a reading is one `pread` of a few bytes. */
export function createUptimeReader(): UptimeReader {
  if (process.platform !== 'linux') return () => undefined;
  const buffer = Buffer.alloc(64);
  let file: number | undefined;
  try {
    file = openSync('/proc/uptime', 'r');
  } catch {
    return () => undefined;
  }
  const descriptor = file;
  return () => {
    try {
      const length = readSync(descriptor, buffer, 0, buffer.length, 0);
      const seconds = Number.parseFloat(buffer.toString('latin1', 0, length));
      return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
    } catch {
      return undefined;
    }
  };
}
