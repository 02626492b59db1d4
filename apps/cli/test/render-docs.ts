import type { Argument, Command, Option } from 'commander';
import { CATALOG } from '../src/catalog.js';
import { buildProgram } from '../src/program.js';

/** The reference of all commands, made from what the commands themselves declare. */
export async function renderDocs(introduction: string): Promise<string> {
  const program = await buildProgram(CATALOG, () => undefined);
  const common = program.options.filter(isCommon);
  return [
    introduction.trimEnd(),
    '## Common options\n\nEvery command takes these, before or after its name.',
    optionTable(common),
    ...program.commands.flatMap((command) => section(command, 'muster')),
    '',
  ]
    .join('\n\n')
    .replace(/\n{3,}/g, '\n\n');
}

function section(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((below) => section(below, name));
  const own = command.options.filter((option) => !isCommon(option));
  const words = command.registeredArguments;
  return [
    `## ${name}`,
    command.description(),
    `\`\`\`\n${name}${own.length > 0 ? ' [options]' : ''}${words.map(usageOf).join('')}\n\`\`\``,
    command.aliases().length > 0
      ? `Also called ${command
          .aliases()
          .map((alias) => `\`${alias}\``)
          .join(', ')}.`
      : '',
    words.length > 0
      ? table(
          ['Word', 'Meaning'],
          words.map((word) => [`\`${word.name()}\``, word.description]),
        )
      : '',
    own.length > 0 ? optionTable(own) : '',
    examplesOf(command),
  ].filter((part) => part !== '');
}

const COMMON_GROUP = 'Common options:';

function isCommon(option: Option): boolean {
  return option.helpGroupHeading === COMMON_GROUP;
}

function usageOf(word: Argument): string {
  const name = word.variadic ? `${word.name()}...` : word.name();
  return word.required ? ` <${name}>` : ` [${name}]`;
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => {
    const choices =
      option.argChoices === undefined
        ? ''
        : ` One of ${option.argChoices.map((choice) => `\`${choice}\``).join(', ')}.`;
    const preset = option.defaultValue === undefined || option.negate ? '' : ` Default ${String(option.defaultValue)}.`;
    return [`\`${option.flags}\``, `${option.description}${choices}${preset}`];
  });
  return table(['Option', 'Meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The text a command adds below its help. */
function examplesOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) });
  command.outputHelp();
  const at = text.search(/^Examples?:$/m);
  if (at < 0) return '';
  const lines = text
    .slice(at)
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return `\`\`\`sh\n${lines.join('\n')}\n\`\`\``;
}
