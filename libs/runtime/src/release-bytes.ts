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
 * bytes that nobody else will look at. Views of a part of larger memory, and small ones, are left alone.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (byteLength < BYTES_MIN || buffer.byteLength !== byteLength || !(buffer instanceof ArrayBuffer)) return;
  nowhere.postMessage(null, [buffer]);
}
