import { MessageChannel } from 'node:worker_threads';

/** Smaller ones may lie in a buffer shared with others, and are not worth it. */
const BYTES_MIN = 16 * 1024;

/** Whatever is moved to a port that is closed is gone at once. */
const { port1: nowhere, port2: other } = new MessageChannel();
nowhere.close();
other.close();

/**
 * Gives the memory of these bytes back now instead of when the collector comes by: a flood of large buffers otherwise makes it
 * go through the whole heap several times a second. Afterwards they are empty; call it only for
 * bytes that nobody else will look at. Views of a part of larger memory, small ones, and what may not be moved, are left alone.
 * Never throws.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (byteLength < BYTES_MIN || buffer.byteLength !== byteLength || !(buffer instanceof ArrayBuffer)) return;
  try {
    nowhere.postMessage(null, [buffer]);
  } catch {
    // Marked as not to be moved: the collector frees it.
  }
}

/**
 * Releases the memory that was allocated for these bytes, of which they may fill only a part, or that of their own when they
 * were copied. What lies in memory of any other size shares it with strangers, as Node's pool of small buffers does, and is
 * left alone. Never throws.
 *
 * @param sizeBytes how much was asked for
 */
export function releaseAllocation({ buffer, byteOffset, byteLength }: Uint8Array, sizeBytes: number): void {
  const isOwn = byteOffset === 0 && (buffer.byteLength === sizeBytes || buffer.byteLength === byteLength);
  if (isOwn) releaseBytes(new Uint8Array(buffer));
}
