import { createServer } from 'node:http';
import { StreamableFile } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';

/** Times in milliseconds after which a connection that makes no progress is closed. */
export const SERVER_TIMEOUTS = {
  /** For all headers of a request. */
  headersTimeout: 10_000,
  /** For the whole request, body included. Answers may take as long as they like: followers stay for days. */
  requestTimeout: 30_000,
  /** Between two requests on one connection; longer than common proxies keep theirs. */
  keepAliveTimeout: 65_000,
  /** How often the first two are looked at; Node's default of 30 s would make them meaningless. */
  connectionsCheckingInterval: 2_000,
} as const;

const JSON_TYPE = 'application/json; charset=utf-8';

/** Express, on a server whose connections cannot be held open by saying nothing. */
export class HttpAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createServer({ ...SERVER_TIMEOUTS, maxHeaderSize: 16_384 }, this.getInstance());
    this.httpServer.maxConnections = 20_000;
  }

  /**
   * What a request that changes something is answered with goes out as it is: Express would hash every answer for an ETag,
   * which says nothing but of what can be read again, and would send it apart from its head.
   */
  override reply(response: Response, body: unknown, statusCode?: number): unknown {
    const isRead = response.req.method === 'GET' || response.req.method === 'HEAD';
    if (isRead || !isPlain(body) || response.hasHeader('Content-Type')) return super.reply(response, body, statusCode);
    const text = JSON.stringify(body);
    if (statusCode !== undefined) response.statusCode = statusCode;
    response.setHeader('Content-Type', JSON_TYPE);
    response.setHeader('Content-Length', Buffer.byteLength(text));
    return response.end(text);
  }
}

function isPlain(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !(body instanceof StreamableFile) && !(body instanceof Error);
}
