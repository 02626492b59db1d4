import type { Command } from 'commander';
import type { Session } from './session.js';

/** What a command does: returns its exit code, 0 when it returns nothing. */
export type Action<Arguments extends readonly unknown[], Options> = (
  session: Session,
  options: Options,
  ...words: Arguments
) => Promise<number | void>;

/** Ties an action to a command. Given to the command modules, so that none of them knows how a process ends. */
export type Bind = <Arguments extends readonly unknown[], Options>(
  command: Command,
  action: Action<Arguments, Options>,
) => void;

/** What a file in `commands/` exports: it declares one command, with its subcommands. */
export type Declare = (program: Command, bind: Bind) => void;

export interface CatalogEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly load: () => Promise<{ readonly declare: Declare }>;
}
