import type { Response } from 'express';

/** How long a reader may take nothing before it is dropped; it can come back and go on where it was. */
const STALLED_MS = 30_000;

/** As much as is gathered before it is written. */
const GATHERED_MAX = 64 * 1024;

/**
 * Writes server-sent events no faster than the reader takes them: nothing is prepared for a reader that is behind, so a
 * slow one costs one batch of memory and, if it stops taking altogether, its connection. What is sent in one breath is
 * written as one piece.
 */
export class SseSink {
  private gathered = '';
  private isBehind = false;
  private sentMs = performance.now();

  constructor(private readonly response: Response) {
    response.status(200);
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    response.setHeader('Cache-Control', 'no-store');
    // Tells common proxies to pass events on at once.
    response.setHeader('X-Accel-Buffering', 'no');
    response.on('drain', () => (this.isBehind = false));
    response.flushHeaders();
    response.write('retry: 1000\n\n');
  }

  /** How long nothing was sent. */
  get quietMs(): number {
    return performance.now() - this.sentMs;
  }

  /** Resolves when there is room for more. Rejects when the reader went away or was dropped. */
  send(event: unknown, id?: string): Promise<void> {
    const head = id === undefined ? '' : `id: ${id}\n`;
    return this.write(`${head}data: ${JSON.stringify(event)}\n\n`);
  }

  /** A line nobody sees; keeps proxies from closing a quiet connection. */
  keepAlive(): Promise<void> {
    return this.write(': still here\n\n');
  }

  end(): void {
    this.flush();
    this.response.end();
  }

  private async write(text: string): Promise<void> {
    if (this.response.destroyed) throw new ReaderGone();
    this.sentMs = performance.now();
    if (this.gathered === '') process.nextTick(() => this.flush());
    this.gathered += text;
    if (this.gathered.length >= GATHERED_MAX) this.flush();
    if (this.isBehind) await this.drained();
  }

  private flush(): void {
    const text = this.gathered;
    this.gathered = '';
    if (text !== '' && !this.response.destroyed && !this.response.write(text)) this.isBehind = true;
  }

  private drained(): Promise<void> {
    const { response } = this;
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        response.off('drain', onDrain);
        response.off('close', onClose);
        done();
      };
      const onDrain = (): void => settle(resolve);
      const onClose = (): void => settle(() => reject(new ReaderGone()));
      const timer = setTimeout(() => {
        response.destroy();
        onClose();
      }, STALLED_MS);
      response.on('drain', onDrain);
      response.on('close', onClose);
    });
  }
}

/** The reader closed the connection, or stopped taking what it asked for. */
export class ReaderGone extends Error {}
