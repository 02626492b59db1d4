export interface LauncherOrders {
  /** Stop the jobs, each with at most this grace, and end. */
  readonly stop: (graceSeconds: number) => void;
  /** The launcher's end of the channel is closed: it ended, or died. */
  readonly gone: () => void;
}

/** The part of `process` that a launcher talks through. */
export interface LauncherChannel {
  /** Absent when no launcher started this process; false once its end is closed. */
  readonly connected?: boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** Hears what a launcher (`muster up`) says over the channel it started this process with. Without one, nothing happens. */
export function listenToLauncher(orders: LauncherOrders, channel: LauncherChannel = process): void {
  if (channel.connected === undefined) return;
  channel.on('message', (message) => {
    const graceSeconds = graceOf(message);
    if (graceSeconds !== null) orders.stop(graceSeconds);
  });
  channel.on('disconnect', () => orders.gone());
  // It may have died before we listened; then nobody will tell us.
  if (!channel.connected) orders.gone();
}

/** Null for anything that is not `{ kind: 'stop', graceSeconds }`. */
function graceOf(message: unknown): number | null {
  if (typeof message !== 'object' || message === null || !('kind' in message) || message.kind !== 'stop') return null;
  const grace = 'graceSeconds' in message ? Number(message.graceSeconds) : Number.NaN;
  return Number.isFinite(grace) && grace >= 0 ? grace : 0;
}
