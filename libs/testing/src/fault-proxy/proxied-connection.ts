import type { Socket } from 'node:net';
import { breakOff } from './break-off.js';
import { Lane, type LaneShape } from './lane.js';

/** `toServer`: what the client says. `toClient`: what it is answered. */
export type Direction = 'toServer' | 'toClient';
export const DIRECTIONS: readonly Direction[] = ['toServer', 'toClient'];
export type End = 'client' | 'server';

/** One connection through the proxy: two sockets, two lanes. It is over when both sockets are. */
export class ProxiedConnection {
  private readonly lanes: Readonly<Record<Direction, Lane>>;
  private isHalfOpen = false;
  private hasReset = false;

  constructor(
    /** Port that took it. */
    readonly targetPort: number,
    private readonly client: Socket,
    private readonly server: Socket,
    shapes: Readonly<Record<Direction, LaneShape>>,
    random: () => number,
    closed: () => void,
  ) {
    const reset = (): void => this.reset();
    this.lanes = {
      toServer: new Lane(client, server, random, reset),
      toClient: new Lane(server, client, random, reset),
    };
    for (const direction of DIRECTIONS) this.lanes[direction].setShape(shapes[direction]);
    let open = 2;
    for (const [socket, lane] of [
      [client, this.lanes.toServer],
      [server, this.lanes.toClient],
    ] as const) {
      // Why it broke off is not the news; that it did is, and goes the way of all news.
      socket.on('error', () => undefined);
      socket.once('close', (hadError: boolean) => {
        if (--open === 0) return closed();
        if (this.isHalfOpen) return;
        if (hadError) lane.breakOff();
      });
    }
  }

  shape(direction: Direction, shape: LaneShape): void {
    this.lanes[direction].setShape(shape);
  }

  /** True once both sides were ended by `reset`, or by what `resetAfter` let through. */
  get wasReset(): boolean {
    return this.hasReset;
  }

  /** Ends both sides with RST, now. */
  reset(): void {
    this.hasReset = true;
    breakOff(this.client);
    breakOff(this.server);
  }

  /**
   * Lets this many more bytes go that way, then ends both sides with RST, in the middle of a message as likely as not. Stands
   * until then, or until it is taken back.
   */
  resetAfter(direction: Direction, bytes: number): void {
    this.lanes[direction].limit(bytes);
  }

  /** Whatever `resetAfter` wanted to happen and did not. */
  takeBackReset(): void {
    for (const direction of DIRECTIONS) this.lanes[direction].limit(Number.POSITIVE_INFINITY);
  }

  /** Ends the side of `end` with RST and leaves the other open and unanswered, as after a power cut of a router. */
  halfOpen(end: End): void {
    this.isHalfOpen = true;
    for (const direction of DIRECTIONS) this.lanes[direction].deafen();
    breakOff(end === 'client' ? this.client : this.server);
  }
}
