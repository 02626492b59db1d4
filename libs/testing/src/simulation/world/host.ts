/** What runs on a machine and speaks for it: an agent on a socket, or a program over REST. One start of it. */
import type { WorkerId } from '@muster/protocol';
import type { Posted } from './agent-host.js';
import type { Directory, Machine } from './machine.js';
import type { Connection } from './network.js';

export interface Host {
  readonly machine: Machine;
  readonly workerId: WorkerId;
  readonly isAlive: boolean;
  /** Nothing is held, by its own account. */
  readonly isIdle: boolean;
  describe(): string;
  post(event: Posted): void;
  /** A process ended, or there will be none. */
  ended(directory: Directory): void;
  die(why: string): void;
  drop(): void;
  lose(connection: Connection): void;
  wake(): void;
}
