import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RuntimeLogger } from '../connection/runtime-logger.js';
import type { AgentStatusView } from '@muster/protocol';
import { toPage } from './agent-status.js';

const HOST = '127.0.0.1';
/** Ports tried after the wanted one when it is taken. */
const TRIES = 100;

/**
 * The status page, on loopback only: `GET /` is a page for browsers and JSON for everybody else, `GET /status` always JSON.
 * It changes nothing. Host and Origin are checked, so that no web page somewhere else can read it through a browser here.
 */
export class MonitorServer {
  private server: Server | null = null;

  constructor(
    private readonly wantedPort: number | 'off',
    private readonly logger: RuntimeLogger,
  ) {}

  /** Null while it does not listen. */
  get port(): number | null {
    return (this.server?.address() as AddressInfo | null)?.port ?? null;
  }

  /** Takes the wanted port or the next free one. A machine without a free port has no page; the agent works without it. */
  async start(read: () => AgentStatusView): Promise<void> {
    if (this.wantedPort === 'off') return;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const port = this.wantedPort === 0 ? 0 : this.wantedPort + tries;
      if (port > 65_535) break;
      const server = createServer((request, response) => this.answer(request, response, read));
      if (!(await canListen(server, port))) continue;
      this.server = server;
      this.logger.info({ url: `http://${HOST}:${this.port}/` }, 'status page is up');
      return;
    }
    this.logger.warn({ port: this.wantedPort }, 'no free port for the status page');
  }

  async stop(): Promise<void> {
    const server = this.server;
    this.server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse, read: () => AgentStatusView): void {
    const path = request.url?.split('?')[0];
    if (!this.isFromHere(request)) return send(response, 403, 'text/plain', 'Only for this machine.\n');
    if (path !== '/' && path !== '/status') return send(response, 404, 'text/plain', 'There is / and /status.\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'Only GET.\n');
    const wantsPage = path === '/' && (request.headers.accept ?? '').includes('text/html');
    if (wantsPage) send(response, 200, 'text/html; charset=utf-8', toPage(read()));
    else send(response, 200, 'application/json', `${JSON.stringify(read())}\n`);
  }

  private isFromHere(request: IncomingMessage): boolean {
    const own = [`${HOST}:${this.port}`, `localhost:${this.port}`];
    const { host, origin } = request.headers;
    if (host === undefined || !own.includes(host)) return false;
    return origin === undefined || own.some((name) => origin === `http://${name}`);
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

function canListen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => resolve(true));
  });
}
