import { LIMITS } from '@muster/protocol';
import type { HelloAck, LogAck, LogChunk, MetricsAppend, Progress } from '@muster/protocol';
import type { ShippingUplink } from '../shipping/uplink.js';
import type { ControlPlaneLink } from './control-plane-link.js';
import type { AnswerOf, BodyOf, RequestName } from './server-messages.js';

/** The control plane did not take the message itself. With `invalidMessage`, sending it again will not help. */
export class MessageRefused extends Error {
  constructor(
    event: string,
    readonly code: 'notSynced' | 'superseded' | 'unavailable' | 'invalidMessage' | 'shuttingDown',
    detail: string,
  ) {
    super(`${event} was refused: ${detail}`);
    this.name = 'MessageRefused';
  }
}

/** Bytes wait long for an answer on a slow line; what was sent before they were has to arrive first. */
const BYTES_TIMEOUT_MS = 60_000;
const PROGRESS_TIMEOUT_MS = 10_000;

/** The connection as the shippers see it: up from the answer to a hello until the connection ends. */
export class SyncedUplink implements ShippingUplink {
  private readonly listeners = new Set<() => void>();
  private isSynced = false;
  private chunkBytesMax: number = LIMITS.logChunkBytesDefault;

  constructor(private readonly link: ControlPlaneLink) {}

  get isUp(): boolean {
    return this.isSynced;
  }

  get logChunkBytesMax(): number {
    return this.chunkBytesMax;
  }

  onUp(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Told by the runtime when a hello was answered, before the step that follows from it. */
  greeted({ logChunkBytesMax }: Pick<HelloAck, 'logChunkBytesMax'>): void {
    this.chunkBytesMax = Math.min(LIMITS.logChunkBytesMax, logChunkBytesMax ?? LIMITS.logChunkBytesDefault);
  }

  /** Told by the runtime after every step. */
  setUp(isSynced: boolean): void {
    const cameUp = isSynced && !this.isSynced;
    this.isSynced = isSynced;
    if (cameUp) for (const listener of this.listeners) listener();
  }

  appendLog(chunk: LogChunk): Promise<LogAck> {
    return this.ask('log:append', chunk, BYTES_TIMEOUT_MS);
  }

  appendMetrics(batch: MetricsAppend): Promise<{ readonly storedLength: number }> {
    return this.ask('metrics:append', batch, BYTES_TIMEOUT_MS);
  }

  async sendProgress(progress: Progress): Promise<void> {
    await this.ask('attempt:progress', progress, PROGRESS_TIMEOUT_MS);
  }

  private async ask<E extends RequestName>(event: E, body: BodyOf<E>, timeoutMs: number): Promise<AnswerOf<E>> {
    const ack = await this.link.request(event, body, timeoutMs);
    if ('error' in ack) throw new MessageRefused(event, ack.error.code, ack.error.detail);
    return ack.ok;
  }
}
