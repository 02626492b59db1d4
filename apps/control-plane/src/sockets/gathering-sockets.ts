import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatheredWrites } from '@muster/runtime';
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';

type Message = Parameters<WebSocket['send']>[0];
type Written = (error?: Error) => void;
interface SendOptions {
  readonly binary?: boolean;
  readonly compress?: boolean;
  readonly fin?: boolean;
  readonly mask?: boolean;
}

/**
 * The WebSockets of agents: what one turn of the event loop says to an agent goes out as one piece. The answer to an end, an
 * offer and the answer to a start were three system calls, and woke the agent three times.
 */
export class GatheringWebSockets extends WebSocketServer<typeof GatheringWebSocket> {
  constructor(options: ServerOptions<typeof GatheringWebSocket>) {
    super({ ...options, WebSocket: GatheringWebSocket });
  }

  override handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (webSocket: GatheringWebSocket, request: IncomingMessage) => void,
  ): void {
    super.handleUpgrade(request, socket, head, (webSocket, upgraded) => {
      webSocket.gatherOn(socket);
      opened(webSocket, upgraded);
    });
  }
}

class GatheringWebSocket extends WebSocket {
  private socket: Duplex | undefined;
  private writes: GatheredWrites | undefined;

  gatherOn(socket: Duplex): void {
    this.socket = socket;
    this.writes = new GatheredWrites(socket);
  }

  /**
   * @param written called when the message was handed to the system. While the agent reads all it is sent it is called already
   *   when the message is gathered: Engine.IO holds back every further one until then
   */
  override send(data: Message, written?: Written): void;
  override send(data: Message, options: SendOptions, written?: Written): void;
  override send(data: Message, given: SendOptions | Written = {}, last?: Written): void {
    const [options, written] = typeof given === 'function' ? [{}, given] : [given, last];
    const isReadInTime = this.readyState === WebSocket.OPEN && this.socket?.writableNeedDrain === false;
    this.writes?.gather();
    super.send(data, options, isReadInTime ? undefined : written);
    if (isReadInTime && written) process.nextTick(written);
  }

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.writes?.sendNow();
  }
}
