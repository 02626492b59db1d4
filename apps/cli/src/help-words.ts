import type { Command } from 'commander';

/** `help keys create` is `keys create --help`; everything else stays. */
export function asHelp(words: readonly string[]): readonly string[] {
  const [first, ...path] = words;
  return first === 'help' && path.length > 0 ? [...path, '--help'] : words;
}

/**
 * A question for the help of a command that does not exist is asked without its `--help`, so that the parser says what is
 * unknown instead of showing the help of something else.
 */
export function withoutVainHelp(words: readonly string[], program: Command): readonly string[] {
  let at = program;
  for (const word of words) {
    if (word.startsWith('-') || at.commands.length === 0 || word === 'help') return words;
    const below = at.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (below === undefined) return words.filter((one) => one !== '--help' && one !== '-h');
    at = below;
  }
  return words;
}
