import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { breakOff } from './break-off.js';
import { PLAIN_WIRE, type LaneShape } from './lane.js';
import { DIRECTIONS, ProxiedConnection, type Direction, type End } from './proxied-connection.js';

export interface FaultProxyOptions {
  /**
   * Loopback ports to try for a new connection, best first; asked anew each time, so that a proxy can stand for a load
   * balancer. Where none takes it the client is reset.
   */
  readonly targets: () => readonly number[];
  /** 0 to 1, for jitter; chance unless told. */
  readonly random?: () => number;
}

/**
 * A wire between programs on this machine that can be made bad: per connection and direction, or all at once. What is
 * called on the proxy itself also holds for the connections that come later, until `heal`.
 */
export class FaultProxy {
  private readonly live = new Set<ProxiedConnection>();
  private readonly connecting = new Set<Socket>();
  private readonly shapes: Record<Direction, LaneShape> = { toServer: PLAIN_WIRE, toClient: PLAIN_WIRE };
  private readonly server: Server;

  private constructor(private readonly options: FaultProxyOptions) {
    this.server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) =>
      this.accept(client),
    );
  }

  static async open(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  /** Where clients connect: 127.0.0.1 and this port. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): readonly ProxiedConnection[] {
    return [...this.live];
  }

  shape(direction: Direction, change: Partial<LaneShape>): void {
    this.shapes[direction] = { ...this.shapes[direction], ...change };
    for (const connection of this.live) connection.shape(direction, this.shapes[direction]);
  }

  /** A plain wire again, both ways, and no reset to come. What was broken off stays so. */
  heal(): void {
    for (const connection of this.live) connection.takeBackReset();
    for (const direction of DIRECTIONS) this.shape(direction, PLAIN_WIRE);
  }

  /** Breaks every connection off; new ones are taken. */
  reset(): void {
    for (const connection of this.live) connection.reset();
  }

  /** Of the connections there are; those that come later have no limit. */
  resetAfter(direction: Direction, bytes: number): void {
    for (const connection of this.live) connection.resetAfter(direction, bytes);
  }

  halfOpen(end: End): void {
    for (const connection of this.live) connection.halfOpen(end);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.connecting) breakOff(socket);
    this.reset();
    await closed;
  }

  private accept(client: Socket): void {
    this.connecting.add(client);
    client.on('error', () => undefined);
    client.once('close', () => this.connecting.delete(client));
    const ports = [...this.options.targets()];
    const tryNext = (): void => {
      const port = ports.shift();
      if (port === undefined) return void breakOff(client);
      const server = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
      server.once('error', tryNext);
      server.once('connect', () => {
        server.off('error', tryNext);
        this.join(port, client, server);
      });
    };
    tryNext();
  }

  private join(port: number, client: Socket, server: Socket): void {
    this.connecting.delete(client);
    if (client.destroyed || !this.server.listening) {
      server.on('error', () => undefined);
      return void breakOff(server);
    }
    const random = this.options.random ?? Math.random;
    const connection: ProxiedConnection = new ProxiedConnection(port, client, server, this.shapes, random, () =>
      this.live.delete(connection),
    );
    this.live.add(connection);
  }
}
