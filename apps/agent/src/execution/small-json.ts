import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';

/** A file this agent wrote itself, so its shape is trusted; null when it is absent or was cut off by a crash. */
export function readSmallJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Whole or not at all, also when the agent dies in the middle. */
export async function replaceJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
