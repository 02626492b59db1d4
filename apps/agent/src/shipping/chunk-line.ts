import type { AttemptRef, LogAck, LogChunk } from '@muster/protocol';
import { releaseBytes, type Clock } from '@muster/runtime';
import type { Piece } from './log-plan.js';
import { packPiece, type PackedPiece } from './pack-piece.js';
import type { ShippingUplink } from './uplink.js';

export type SendablePiece = Extract<Piece, { kind: 'bytes' | 'gap' }>;

export interface ChunkLineOptions {
  readonly stream: LogChunk['stream'];
  /** The attempt the bytes belong to now; asked for every chunk, because a lost attempt may be granted anew. */
  readonly ref: () => AttemptRef;
  readonly uplink: ShippingUplink;
  readonly clock: Clock;
}

export interface ChunkAnswer {
  readonly ack: LogAck;
  readonly tookMs: number;
}

/** Packs pieces of one stream side by side, and hands them to the connection in the order of their bytes. */
export class ChunkLine {
  /** Settles when the newest piece was handed over, or never will be. */
  private handedOver: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ChunkLineOptions) {}

  /**
   * Sends one piece and waits for its answer.
   *
   * @param raw its bytes; null for a gap
   * @param isWanted asked when it is packed and its turn has come: false when sending started over meanwhile
   * @throws when it was not sent, or not answered
   */
  async send(piece: SendablePiece, raw: Buffer | null, isWanted: () => boolean): Promise<ChunkAnswer> {
    const { clock } = this.options;
    const packed = raw === null ? Promise.resolve({ encoding: 'gap', bytes: new Uint8Array(0) } as const) : packPiece(raw);
    const handedOver = this.handOver(piece, packed, this.handedOver, isWanted);
    this.handedOver = handedOver.catch(() => undefined);
    const { answer, sentMs, bytes } = await handedOver;
    const ack = await answer;
    // Answered, they are no longer on their way.
    releaseBytes(bytes);
    return { ack, tookMs: clock.monotonicMs() - sentMs };
  }

  private async handOver(piece: SendablePiece, packed: Promise<PackedPiece>, before: Promise<unknown>, isWanted: () => boolean) {
    const { clock, uplink, ref, stream } = this.options;
    const [body] = await Promise.all([packed, before]);
    if (!isWanted() || !uplink.isUp) throw new Error('The piece is sent again later.');
    const { attemptId, epoch } = ref();
    const readAt = new Date(clock.nowMs()).toISOString();
    const sentMs = clock.monotonicMs();
    const answer = uplink.appendLog({ attemptId, epoch, stream, offset: piece.offset, rawLength: piece.length, readAt, ...body });
    // Heard by who waits for it, a moment later.
    answer.catch(() => undefined);
    return { answer, sentMs, bytes: body.bytes };
  }
}
