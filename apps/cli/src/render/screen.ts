import type { Output } from '../output.js';

const HOME = '\u001b[H';
const CLEAR = '\u001b[2J';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** A terminal that shows one text after the other in the same place, without flicker. */
export class Screen {
  private isClean = false;

  constructor(private readonly output: Output) {}

  /** What does not fit is left out, with a line that says so. */
  async show(text: string): Promise<void> {
    const lines = fitted(text.split('\n'), this.output.rows);
    const clear = this.isClean ? '' : CLEAR;
    this.isClean = true;
    await this.output.write(`${clear}${HOME}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
  }
}

/** The last row stays free for the cursor. */
function fitted(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length < rows) return lines;
  const shown = lines.slice(0, Math.max(1, rows - 2));
  return [...shown, `… and ${lines.length - shown.length} more lines`];
}
