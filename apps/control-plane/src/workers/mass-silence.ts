import { isMassSilence } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';

export interface LastBeat {
  readonly id: WorkerId;
  readonly silent_ms: number;
}

/**
 * The workers that fell silent together with so many others that the fault is more likely ours or the network's: nothing
 * of theirs is declared lost. A worker's companions are those that fell silent within one W of it; those still heard,
 * or silent only since then, were connected at that time as well.
 *
 * @param beats newest first
 */
export function silentTogether(beats: readonly LastBeat[], workerTimeoutMs: number): Set<WorkerId> {
  const silent = beats.filter((beat) => beat.silent_ms >= workerTimeoutMs).map((beat) => beat.silent_ms);
  const together = new Set<WorkerId>();
  let from = 0;
  let to = 0;
  for (const beat of beats) {
    if (beat.silent_ms < workerTimeoutMs) continue;
    while ((silent[from] ?? Infinity) < beat.silent_ms - workerTimeoutMs) from += 1;
    while ((silent[to] ?? Infinity) <= beat.silent_ms + workerTimeoutMs) to += 1;
    const companions = largestWindow(silent.slice(from, to), beat.silent_ms, workerTimeoutMs);
    const stillHeard = beats.length - silent.length + from;
    if (isMassSilence(companions, companions + stillHeard)) together.add(beat.id);
  }
  return together;
}

/** Most workers in any window of one W that holds the moment `silentMs`. */
function largestWindow(silent: readonly number[], silentMs: number, windowMs: number): number {
  let largest = 0;
  let end = 0;
  silent.forEach((start, index) => {
    while (end < silent.length && (silent[end] as number) <= start + windowMs) end += 1;
    if (start <= silentMs && start + windowMs >= silentMs) largest = Math.max(largest, end - index);
  });
  return largest;
}
