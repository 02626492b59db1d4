/**
 * Commands in a sentence as people call the program where they are, so that what we print can be pasted: in a clone
 * `muster ps` is `npx muster ps`.
 */
export function asCalled(text: string, program: string): string {
  return program === 'muster' ? text : text.replace(COMMAND, `${program} `);
}

/** The name as a command, not as a word: before a lower-case word or an option, and not inside a path or a longer name. */
const COMMAND = /(?<![\w@/.-]|npx )muster (?=[a-z]+\b|--)/g;
