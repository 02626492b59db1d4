import type { Response } from 'express';

/** How long a reader may take nothing before it is dropped; it can come back and go on where it was. */
const STALLED_MS = 30_000;

/**
 * Writes server-sent events no faster than the reader takes them: nothing is prepared for a reader that is behind, so a
 * slow one costs one batch of memory and, if it stops taking altogether, its connection.
 */
export class SseSink {
  constructor(private readonly response: Response) {
    response.status(200);
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    response.setHeader('Cache-Control', 'no-store');
    // Tells common proxies to pass events on at once.
    response.setHeader('X-Accel-Buffering', 'no');
    response.flushHeaders();
    response.write('retry: 1000\n\n');
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
    this.response.end();
  }

  private async write(text: string): Promise<void> {
    if (this.response.destroyed) throw new ReaderGone();
    if (this.response.write(text)) return;
    await this.drained();
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
