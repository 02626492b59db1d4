import type { Command, Option } from 'commander';

export interface OfferedCommand {
  readonly name: string;
  readonly summary: string;
}

export interface OfferedOption {
  /** With its dashes. */
  readonly long: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** All values there are; empty where any may be given. */
  readonly choices: readonly string[];
  /** Its value names a file or a folder. */
  readonly takesFile: boolean;
}

/** What may follow these words: `''` for the program itself, `worker show` for a command below another. */
export interface Place {
  readonly path: string;
  readonly commands: readonly OfferedCommand[];
  readonly options: readonly OfferedOption[];
  /** Its first word may name a file. */
  readonly takesFiles: boolean;
}

const HELP: OfferedOption = { long: '--help', description: 'Explain this.', takesValue: false, choices: [], takesFile: false };
/** `run` and `submit` take a command, `submit` a file. */
const WITH_FILES = ['run', 'submit'];

/** Every place in the program, under every name that it has. */
export function placesIn(command: Command, path = ''): readonly Place[] {
  const commands = command.commands.flatMap((below) =>
    [below.name(), ...below.aliases()].map((name) => ({ name, summary: below.summary() })),
  );
  const below = command.commands.flatMap((one) =>
    [one.name(), ...one.aliases()].flatMap((name) => placesIn(one, path === '' ? name : `${path} ${name}`)),
  );
  const options = [...command.options.flatMap(offered), HELP];
  return [{ path, commands, options, takesFiles: WITH_FILES.includes(path) }, ...below];
}

function offered(option: Option): readonly OfferedOption[] {
  const { long, description, flags } = option;
  if (!long) return [];
  const takesFile = /<(path|file)>/.test(flags);
  return [{ long, description, takesValue: option.required || option.optional, choices: option.argChoices ?? [], takesFile }];
}
