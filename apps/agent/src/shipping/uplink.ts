import type { LogAck, LogChunk, MetricsAppend, Progress } from '@muster/protocol';

/**
 * What the shippers need of the connection. Every call rejects when the connection drops, the answer is late or the
 * control plane cannot store now; then the caller does not know whether the bytes were stored, and asks by sending again.
 */
export interface ShippingUplink {
  /** True between the answer to a hello and the end of that connection. */
  readonly isUp: boolean;
  /** Raw bytes that the control plane takes in one chunk of a log, on this connection. */
  readonly logChunkBytesMax: number;
  /** Told each time it comes up. Answers with the function that ends the listening. */
  onUp(listener: () => void): () => void;
  appendLog(chunk: LogChunk): Promise<LogAck>;
  appendMetrics(batch: MetricsAppend): Promise<{ readonly storedLength: number }>;
  sendProgress(progress: Progress): Promise<void>;
}

/** The words of a logger the shippers use. */
export interface ShippingLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}
