/** As much as one socket's messages may hold in memory while they are not answered yet. */
export const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;

/** A transport as far as it is used here: says what arrives. */
export interface PacketSource {
  on(event: 'packet', listen: (packet: { readonly data?: unknown }) => void): unknown;
}

/** Something that can stop reading, and go on. Bytes then wait in the sender, which slows down. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * Weighs the messages of one socket that are taken and not answered, and stops reading from it while they are too heavy:
 * messages are counted elsewhere, but one may be a megabyte. An agent that has much to tell is slowed down, not sent away.
 */
export class Intake {
  private arrivedBytes = 0;
  private heldBytes = 0;
  private isPaused = false;

  /** @param reader undefined where the transport cannot be paused: then everything is read */
  constructor(
    source: PacketSource,
    private readonly reader: Pausable | undefined,
    private readonly bytesMax: number = IN_FLIGHT_BYTES_MAX,
  ) {
    source.on('packet', ({ data }) => (this.arrivedBytes += sizeOf(data)));
  }

  /** Weighs a message that is being taken: all that arrived since the one before. Call what it returns when it is answered. */
  take(): () => void {
    const bytes = this.arrivedBytes;
    this.arrivedBytes = 0;
    this.heldBytes += bytes;
    this.regulate();
    return () => {
      this.heldBytes -= bytes;
      this.regulate();
    };
  }

  private regulate(): void {
    if (!this.isPaused && this.heldBytes > this.bytesMax) {
      this.isPaused = true;
      this.reader?.pause();
    } else if (this.isPaused && this.heldBytes <= this.bytesMax / 2) {
      this.isPaused = false;
      this.reader?.resume();
    }
  }
}

/** The WebSocket below a transport of Engine.IO, which does not name it in its types. */
export function pausableOf(transport: object): Pausable | undefined {
  return 'socket' in transport && isPausable(transport.socket) ? transport.socket : undefined;
}

function isPausable(value: unknown): value is Pausable {
  if (typeof value !== 'object' || value === null) return false;
  return 'pause' in value && typeof value.pause === 'function' && 'resume' in value && typeof value.resume === 'function';
}

function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length;
  return ArrayBuffer.isView(data) ? data.byteLength : 0;
}
