import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { GatheredWrites } from '@muster/runtime';
import { NodeWebSocket } from 'engine.io-client';

type Packet = Parameters<NodeWebSocket['doWrite']>[0];
type Data = Parameters<NodeWebSocket['doWrite']>[1];

/**
 * The WebSocket of an agent: what one turn of the event loop says to the control plane goes out as one piece. Of two jobs
 * that end at once, and one that starts, it is woken once.
 */
export class GatheringTransport extends NodeWebSocket {
  private writes: GatheredWrites | undefined;

  override createSocket(...[uri, protocols, options]: Parameters<NodeWebSocket['createSocket']>): unknown {
    const webSocket: unknown = super.createSocket(uri, protocols, options);
    if (webSocket instanceof EventEmitter) {
      webSocket.once('upgrade', ({ socket }: IncomingMessage) => (this.writes = new GatheredWrites(socket)));
    }
    return webSocket;
  }

  override doWrite(packet: Packet, data: Data): void {
    this.writes?.gather();
    super.doWrite(packet, data);
  }

  override doClose(): void {
    super.doClose();
    this.writes?.sendNow();
  }
}
