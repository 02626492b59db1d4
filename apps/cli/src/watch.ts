import { setTimeout as sleep } from 'node:timers/promises';
import type { Output } from './output.js';
import { Screen } from './render/screen.js';

const WATCH_EVERY_MS = 1_000;

export interface Watched<T extends { readonly id: string }> {
  readonly read: () => Promise<readonly T[]>;
  /** All of them, for a terminal. */
  readonly draw: (items: readonly T[]) => Promise<string>;
  /** One of them, for a pipe: printed when it is another text than before. */
  readonly line: (item: T) => string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Until it is interrupted: a terminal is drawn anew each second, a pipe gets a line per change. */
export async function watch<T extends { readonly id: string }>(watched: Watched<T>): Promise<never> {
  const { read, draw, output, signal } = watched;
  const screen = new Screen(output);
  const seen = new Map<string, string>();
  for (;;) {
    const items = await read();
    if (output.isTerminal && !output.isJson) await screen.show(await draw(items));
    else await printChanges(items, seen, watched);
    await sleep(WATCH_EVERY_MS, undefined, { signal }).catch(async () => {
      // The terminal has written ^C where the cursor stood.
      if (output.isTerminal) await output.write('\n');
      signal.throwIfAborted();
    });
  }
}

async function printChanges<T extends { readonly id: string }>(
  items: readonly T[],
  seen: Map<string, string>,
  { output, line }: Watched<T>,
): Promise<void> {
  for (const item of items) {
    const text = output.isJson ? JSON.stringify(item) : line(item);
    if (seen.get(item.id) === text) continue;
    seen.set(item.id, text);
    await output.line(text);
  }
}
