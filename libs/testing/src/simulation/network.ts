/** What lies between agents and replicas: loses, doubles and delays messages, and can be cut in one direction or both. */
import type { Replica } from './replica.js';
import type { AgentHost } from './agent-host.js';
import type { World } from './world.js';

/** One socket. Its number is the agent's; the replica knows its session once hello was answered. */
export interface Connection {
  readonly id: number;
  readonly host: AgentHost;
  readonly replica: Replica;
  /** Start of the replica it belongs to: a socket does not outlive it. */
  readonly replicaStart: number;
  isOpen: boolean;
  session: number | null;
}

type Direction = 'up' | 'down';

export class Network {
  /** Cuts by machine, replica and direction. */
  private readonly cuts = new Set<string>();

  constructor(private readonly world: World) {}

  cut(machine: number, replica: number, direction: Direction, forMs: number): void {
    const key = `${machine} ${replica} ${direction}`;
    this.cuts.add(key);
    this.world.after(forMs, () => this.cuts.delete(key));
  }

  heal(): void {
    this.cuts.clear();
  }

  isCut(connection: Connection, direction: Direction): boolean {
    return this.cuts.has(`${connection.host.machine.index} ${connection.replica.index} ${direction}`);
  }

  /** From the agent to its replica. What was sent may arrive after the socket, or the sender, is gone. */
  up(connection: Connection, deliver: () => void): void {
    this.carry(connection, 'up', () => {
      if (connection.replica.isAlive && connection.replica.startCount === connection.replicaStart) deliver();
    });
  }

  down(connection: Connection, deliver: () => void): void {
    this.carry(connection, 'down', () => {
      if (connection.host.isAlive) deliver();
    });
  }

  private carry(connection: Connection, direction: Direction, deliver: () => void): void {
    const { random, faults } = this.world;
    if (this.isCut(connection, direction) || random.chance(faults.dropRate)) {
      this.world.count('messages lost');
      return;
    }
    const copies = random.chance(faults.duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = random.chance(faults.delayRate) ? random.between(100, 14_000) : random.between(1, 50);
      this.world.after(delayMs, deliver);
    }
  }
}
