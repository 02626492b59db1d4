/** What lies between agents and replicas: loses, doubles and delays messages, and can be cut in one direction or both. */
import type { Host } from './host.js';
import { Random } from './random.js';
import type { Replica } from './replica.js';
import type { World } from './world.js';

/** One socket. Its number is the agent's; the replica knows its session once hello was answered. */
export interface Connection {
  readonly id: number;
  readonly host: Host;
  readonly replica: Replica;
  /** Start of the replica it belongs to: a socket does not outlive it. */
  readonly replicaStart: number;
  readonly openedMs: number;
  isOpen: boolean;
  session: number | null;
  /** When the newest message of each direction arrives: where nothing may overtake, all wait for the slowest. */
  readonly arrivalMs: Record<Direction, number>;
}

type Direction = 'up' | 'down';

export class Network {
  /** Cuts by machine, replica and direction, each with the number of reasons for it. */
  private readonly cuts = new Map<number, number>();
  private readonly random: Random;

  constructor(private readonly world: World) {
    this.random = new Random(world.settings.seed ^ 0x5f3759df);
  }

  cut(machine: number, replica: number, direction: Direction, forMs: number): void {
    const key = keyOf(machine, replica, direction);
    this.cuts.set(key, (this.cuts.get(key) ?? 0) + 1);
    this.world.after(forMs, () => {
      const left = (this.cuts.get(key) ?? 0) - 1;
      if (left > 0) this.cuts.set(key, left);
      else this.cuts.delete(key);
    });
  }

  heal(): void {
    this.cuts.clear();
  }

  isCut(connection: Connection, direction: Direction): boolean {
    return this.cuts.size > 0 && this.cuts.has(keyOf(connection.host.machine.index, connection.replica.index, direction));
  }

  /** From the agent to its replica. What was sent may arrive after the socket, or the sender, is gone. */
  up(connection: Connection, deliver: () => void): void {
    this.carry(connection, 'up', () => {
      if (connection.replica.isAlive && connection.replica.startCount === connection.replicaStart) deliver();
    });
  }

  /** What the replica says without being asked: lost with the socket it was said on. */
  push(connection: Connection, deliver: () => void): void {
    this.down(connection, () => {
      if (connection.isOpen) deliver();
    });
  }

  /** An answer. It may come when its socket is gone. */
  down(connection: Connection, deliver: () => void): void {
    this.carry(connection, 'down', () => {
      if (connection.host.isAlive) deliver();
    });
  }

  private carry(connection: Connection, direction: Direction, deliver: () => void): void {
    const { random } = this;
    const { faults, nowMs } = this.world;
    if (this.isCut(connection, direction) || random.chance(faults.dropRate)) {
      this.world.count('messages lost');
      return;
    }
    const isDoubled = random.chance(faults.duplicateRate);
    if (isDoubled) this.world.count('messages doubled');
    for (let copy = 0; copy < (isDoubled ? 2 : 1); copy++) {
      const isLate = random.chance(faults.delayRate);
      if (isLate) this.world.count('messages late');
      let arrivalMs = nowMs + (isLate ? random.between(100, 14_000) : random.between(1, 50));
      if (!faults.isReordered) arrivalMs = Math.max(arrivalMs, connection.arrivalMs[direction] + 0.01);
      connection.arrivalMs[direction] = Math.max(arrivalMs, connection.arrivalMs[direction]);
      this.world.after(arrivalMs - nowMs, deliver);
    }
  }
}

function keyOf(machine: number, replica: number, direction: Direction): number {
  return machine * 16 + replica * 2 + (direction === 'up' ? 0 : 1);
}
