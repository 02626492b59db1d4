import { Command, Option, type CommanderError } from 'commander';
import type { Bind, CatalogEntry } from './command.js';
import type { CommonOptions } from './config.js';

/** The program with these commands; `bind` ties each to what it does. */
export async function buildProgram(entries: readonly CatalogEntry[], bind: Bind): Promise<Command> {
  const program = new Command('muster')
    .description("Run a team's jobs on the machines it already owns.")
    .usage('<command> [options]')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .helpCommand('help [command...]', 'Explain a command.')
    .helpOption('-h, --help', HELP)
    .option('-V, --version', 'Print the version.')
    .addHelpText('after', AFTERWORD);
  program.configureHelp({ showGlobalOptions: false, sortSubcommands: false });
  rememberRefusals(program);
  addCommonOptions(program);
  for (const { declare } of await Promise.all(entries.map((entry) => entry.load()))) declare(program, bind);
  for (const command of program.commands) prepare(command);
  return program;
}

const HELP = 'Explain this.';

const refusers = new WeakMap<CommanderError, Command>();

/** Errors are thrown, and it is known of each which command it came from. */
function rememberRefusals(command: Command): void {
  command.exitOverride((error) => {
    refusers.set(error, command);
    throw error;
  });
}

/** The command that could not make sense of its words. */
export function refuserOf(error: CommanderError): Command | undefined {
  return refusers.get(error);
}

/** As it is typed: `muster worker set`. */
export function fullName(command: Command | undefined): string {
  const names: string[] = [];
  for (let at = command ?? null; at !== null && at.parent !== null; at = at.parent) names.unshift(at.name());
  return ['muster', ...names].join(' ');
}

/** Options that mean the same for every command. */
const COMMON_OPTIONS: readonly (() => Option)[] = [
  () => new Option('--json', 'Answer for programs: JSON on stdout, a problem document on stderr.'),
  () => new Option('--url <url>', 'Control plane to talk to (also MUSTER_URL).'),
  () => new Option('--context <name>', 'Saved control plane and key to use.'),
  () => new Option('--key-file <path>', 'File that holds the key (the key itself: MUSTER_KEY).'),
  () => new Option('--no-color', 'Plain text (also NO_COLOR).'),
  () => new Option('-v, --verbose', 'Say more about failures, with request ids.'),
];

const AFTERWORD = `
A job is named by its id, by the beginning of its id, by its name where only one job has it, or by @last.
A worker likewise, but there is no @last.

Exit codes: 0 ok · 1 job failed or general error · 2 usage · 3 not found · 4 not signed in or not allowed ·
5 conflict · 6 control plane unreachable · 7 waited too long · 8 job cancelled or lost · 130 viewer interrupted
`;

function addCommonOptions(command: Command): void {
  const taken = new Set(command.options.flatMap(({ short, long }) => [short, long]));
  for (const make of COMMON_OPTIONS) {
    const option = make();
    if (taken.has(option.long)) continue;
    command.addOption(option.helpGroup('Common options:'));
  }
}

/** Gives a command, and those below it, what all commands have. */
function prepare(command: Command): void {
  rememberRefusals(command);
  command.showSuggestionAfterError().allowExcessArguments(false).helpOption('-h, --help', HELP);
  command.configureHelp({ sortSubcommands: false });
  for (const below of command.commands) prepare(below);
  if (command.commands.length === 0) addCommonOptions(command);
}

/** Common options wherever they stand on the line: before the command's name or after it. */
export function readCommonOptions(command: Command): CommonOptions {
  const merged: Record<string, unknown> = {};
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const [name, value] of Object.entries(at.opts())) {
      if (at.getOptionValueSource(name) === 'cli' && !(name in merged)) merged[name] = value;
    }
  }
  return merged;
}
