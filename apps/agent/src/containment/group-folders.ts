import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** In the state directory: every folder of control groups that its agents used, one path per line. */
const FOLDERS_FILE = 'cgroup-folders';

/**
 * Paths of the control groups that agents of this state directory made, also of those that had to make them elsewhere: the
 * folder depends on who starts the agent. Remembers `current` for later agents, and forgets folders that are gone; the
 * `usual` ones are looked into although nobody remembers them.
 */
export async function findGroups(
  stateDir: string,
  current: string,
  usual: readonly string[],
): Promise<readonly string[]> {
  const file = join(stateDir, FOLDERS_FILE);
  const remembered = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line.startsWith('/'));
  const folders = new Map<string, readonly string[]>([[current, []]]);
  for (const folder of new Set([current, ...usual, ...remembered])) {
    const names = await readdir(folder).catch(() => null);
    if (names)
      folders.set(
        folder,
        names.filter((name) => name.startsWith('exe-') || isOfProbe(name)),
      );
  }
  const known = [...folders.keys()];
  // On a full disk they are forgotten, which costs an empty folder at worst.
  if (known.join('\n') !== remembered.join('\n')) await replace(file, known).catch(() => undefined);
  return [...folders].flatMap(([folder, names]) => names.map((name) => join(folder, name)));
}

/**
 * Left by an agent that was killed while it tried what it can do. Nobody but its own sleepers is in it, for a minute, or for
 * ever where they were frozen.
 */
export const isOfProbe = (groupPath: string): boolean => basename(groupPath).startsWith('probe-');

async function replace(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(`${file}.new`, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
