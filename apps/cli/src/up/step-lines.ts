import type { StackProgress, StackStep } from '@muster/local-stack';
import type { Output } from '../output.js';

const TITLES: Record<StackStep, string> = {
  recovery: 'Recovery',
  postgres: 'PostgreSQL',
  controlPlane: 'Control plane',
  agent: 'Agent',
};

const TITLE_WIDTH = 16;
/** A step this long without a word is told about again where no line can be rewritten. */
const SAY_AGAIN_AFTER_MS = 3_000;

/** Shows steps as they go: one living line per step on a terminal, plain lines elsewhere. Everything on stderr. */
export class StepLines {
  private saidAtMs = 0;

  constructor(
    private readonly output: Output,
    private readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stderr,
  ) {}

  show({ step, state, text, elapsedMs }: StackProgress): void {
    const { green, dim } = this.output.noteColours;
    const title = TITLES[step].padEnd(TITLE_WIDTH);
    if (state === 'done') {
      const took = elapsedMs < 100 ? '' : dim(`  ${(elapsedMs / 1_000).toFixed(1)} s`);
      this.replace(`  ${green('✔')} ${title}${withoutTitle(text, TITLES[step])}${took}\n`);
    } else if (this.stderr.isTTY) this.replace(`  ${dim('…')} ${title}${dim(text)}`);
    else if (elapsedMs - this.saidAtMs >= SAY_AGAIN_AFTER_MS) {
      this.saidAtMs = elapsedMs;
      this.stderr.write(`  … ${title}${text}\n`);
    }
    if (state !== 'doing') this.saidAtMs = 0;
  }

  /** A line between the steps. */
  say(text: string): void {
    this.replace(`  ${text}\n`);
  }

  private replace(text: string): void {
    this.stderr.write(this.stderr.isTTY ? `\r\u001b[K${text}` : text);
  }
}

/** The title stands beside it already. */
function withoutTitle(text: string, title: string): string {
  return text.toLowerCase().startsWith(`${title.toLowerCase()} is `) ? text.slice(title.length + 4) : text;
}
