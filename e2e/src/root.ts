import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository, wherever the file that asks was bundled to. */
export const ROOT = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'nx.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error('There is no nx.json above this file.');
  return findRoot(above);
}
