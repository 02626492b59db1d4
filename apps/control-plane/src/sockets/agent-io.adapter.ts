import type { IncomingMessage } from 'node:http';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { LIMITS } from '@muster/protocol';
import type { Server, ServerOptions } from 'socket.io';
import { GatheringWebSockets } from './gathering-sockets.js';

/** Measured choices: compression costs ten times the memory, and long polling has no use between programs. */
const OPTIONS = {
  transports: ['websocket'],
  wsEngine: GatheringWebSockets,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  maxHttpBufferSize: LIMITS.socketMessageBytesMax,
  pingInterval: 20_000,
  pingTimeout: 20_000,
  // A transport that never says who it is.
  connectTimeout: 5_000,
  allowRequest,
} satisfies Partial<ServerOptions>;

export class AgentIoAdapter extends IoAdapter {
  override createIOServer(port: number, options?: ServerOptions): Server {
    return super.createIOServer(port, { ...options, ...OPTIONS } as ServerOptions) as Server;
  }
}

/** Refuses the upgrade itself: pages of other sites, and keys in addresses, which end in every access log. */
function allowRequest(request: IncomingMessage, answer: (message: string | null | undefined, isAllowed: boolean) => void): void {
  if (!isOwnOrigin(request)) answer('Origin is not allowed.', false);
  else if (/(?:wak_|mst_)/.test(request.url ?? '')) answer('A key must not be sent in a URL.', false);
  else answer(null, true);
}

/** Programs send no Origin. A browser always does, and may come from our own pages only. */
function isOwnOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
