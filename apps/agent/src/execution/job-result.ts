/**
 * The result, one JSON value that a job may write from any language. Metrics and progress, the two files that are read while
 * they grow, belong to shipping. Whatever a job writes here can only cost it its own result.
 */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { LIMITS } from '@muster/protocol';

/** Lists and objects within each other: whoever sends or stores the value walks it by recursion, and has a stack to lose. */
const LEVELS_MAX = 100;

export type JobResult =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly detail: string };

/** The one JSON value of `MUSTER_RESULT`; a sentence where it cannot be taken. An empty file is an absent result. */
export async function readResult(path: string): Promise<JobResult> {
  // Most jobs write none, and asking whether it is there is a hundred times cheaper than failing to open it.
  const found = statSync(path, { throwIfNoEntry: false });
  const file = found && found.size > 0 ? await open(path, 'r').catch(() => null) : null;
  if (file === null) return { kind: 'absent' };
  try {
    const { size } = await file.stat();
    if (size > LIMITS.resultSocketBytesMax) {
      const limit = `${LIMITS.resultSocketBytesMax / 1024} KiB`;
      return { kind: 'unreadable', detail: `The result is too large: ${size} bytes, at most ${limit} are kept.` };
    }
    const text = (await file.readFile()).toString('utf8');
    const value = parseJson(text);
    if (value === undefined) return { kind: 'unreadable', detail: 'The result is not a JSON value and was not kept.' };
    const levels = levelsOf(value);
    if (levels <= LEVELS_MAX) return { kind: 'value', value };
    const detail = `The result is nested ${levels} levels deep; at most ${LEVELS_MAX} are kept.`;
    return { kind: 'unreadable', detail };
  } finally {
    await file.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Level by level, because a walk by recursion would be the first victim. */
function levelsOf(value: unknown): number {
  let levels = 0;
  let level = containersIn([value]);
  while (level.length > 0) {
    levels += 1;
    level = level.flatMap((one) => containersIn(Object.values(one)));
  }
  return levels;
}

const containersIn = (values: readonly unknown[]): object[] =>
  values.filter((one) => typeof one === 'object' && one !== null);
