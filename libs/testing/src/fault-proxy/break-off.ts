import type { Socket } from 'node:net';

/**
 * Ends a connection with RST. `resetAndDestroy` alone first waits until everything written is taken, which a stopped
 * program never does; and what was written in this turn of the loop would turn the RST into a FIN.
 */
export function breakOff(socket: Socket): void {
  setImmediate(() => {
    if (socket.destroyed) return;
    socket.resetAndDestroy();
    socket.destroy();
  });
}
