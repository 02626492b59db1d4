import { createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';

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

/** Express, on a server whose connections cannot be held open by saying nothing. */
export class HttpAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createServer({ ...SERVER_TIMEOUTS, maxHeaderSize: 16_384 }, this.getInstance());
    this.httpServer.maxConnections = 20_000;
  }
}
