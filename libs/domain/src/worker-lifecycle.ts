/** How a worker is reached, and the one word shown for it. */
import type { WorkerLink, WorkerStatus } from '@muster/protocol';

export const WORKER_LINK_TRANSITIONS = {
  connected: { suspect: ['socket closed', 'no beat for two intervals'], unreachable: ['no beat for W'] },
  suspect: { connected: ['hello', 'beat'], unreachable: ['no beat for W'] },
  unreachable: { connected: ['hello', 'beat'] },
} as const satisfies Record<WorkerLink, Partial<Record<WorkerLink, readonly string[]>>>;

/** @param silentMs time since the last beat by the database's clock; null when there never was one */
export function workerLink(facts: {
  readonly silentMs: number | null;
  readonly isSocketClosed: boolean;
  readonly beatIntervalMs: number;
  readonly workerTimeoutMs: number;
}): WorkerLink {
  if (facts.silentMs === null || facts.silentMs >= facts.workerTimeoutMs) return 'unreachable';
  if (facts.isSocketClosed || facts.silentMs >= 2 * facts.beatIntervalMs) return 'suspect';
  return 'connected';
}

/** Offline if unreachable, else maintenance if people ordered it, else error, else busy, else online. */
export function workerStatus(facts: {
  readonly link: WorkerLink;
  /** People cordoned it or let it drain. */
  readonly isInMaintenance: boolean;
  /** The agent says that it cannot take work: a slot is not proven empty, the disk is full. */
  readonly hasError: boolean;
  readonly slots: number;
  readonly slotsUsed: number;
}): WorkerStatus {
  if (facts.link === 'unreachable') return 'offline';
  if (facts.isInMaintenance) return 'maintenance';
  if (facts.hasError) return 'error';
  return facts.slotsUsed >= facts.slots ? 'busy' : 'online';
}

/**
 * Whether a worker is heard, and whether it would be offered a job now.
 *
 * @param silentMs time since the last beat by the database's clock; null when there never was one
 */
export function workerReadiness(facts: {
  readonly status: WorkerStatus;
  readonly silentMs: number | null;
  readonly workerTimeoutMs: number;
  /** Neither people nor its agent keep it from work, and an offer would be heard. */
  readonly takesOffers: boolean;
  readonly slotsFree: number;
}): { readonly healthy: boolean; readonly available: boolean } {
  const healthy = facts.silentMs !== null && facts.silentMs < facts.workerTimeoutMs;
  return { healthy, available: healthy && facts.status === 'online' && facts.takesOffers && facts.slotsFree > 0 };
}

/**
 * At least five workers, and more than half of those that were connected, fell silent within one W: then the fault is
 * more likely ours or the network's, nothing is declared lost, and an alert is raised.
 *
 * @param silent workers whose last beat is older than W but was younger one W ago
 * @param connected workers that had a beat within the W before that
 */
export function isMassSilence(silent: number, connected: number): boolean {
  return silent >= 5 && silent > connected / 2;
}
