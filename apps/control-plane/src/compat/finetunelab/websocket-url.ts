import type { Request } from 'express';

/** A name or an address, and a port: nothing else of a header is repeated. */
const HOST = /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/;
const PATH = '/compat/finetunelab/ws';

/**
 * The address of this control plane as the caller reached it, as a WebSocket's. The contract wants one; nothing
 * answers there: commands for a worker are `pending_commands` of the answers to its heartbeats.
 */
export function websocketUrl(request: Request): string {
  const { host = '', 'x-forwarded-proto': forwarded } = request.headers;
  const isSecure = String(forwarded ?? request.protocol).startsWith('https');
  const { localAddress = '127.0.0.1', localPort } = request.socket;
  const own = `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
  return `${isSecure ? 'wss' : 'ws'}://${HOST.test(host) ? host : own}${PATH}`;
}
