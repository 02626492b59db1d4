import type { StackProgress } from '@muster/local-stack';
import { Writable } from 'node:stream';
import { Output } from '../output.js';
import { StepLines } from './step-lines.js';

function show(isTTY: boolean, ...steps: readonly StackProgress[]): string {
  let text = '';
  const stderr = Object.assign(
    new Writable({ write: (piece: Buffer, _encoding, done) => done(void (text += piece.toString())) }),
    { isTTY },
  );
  const output = new Output({
    stdout: stderr,
    stderr,
    stdoutColour: false,
    stderrColour: false,
    isJson: false,
    program: 'muster',
  });
  const lines = new StepLines(output, stderr);
  for (const step of steps) lines.show(step);
  return text;
}

const step = (state: StackProgress['state'], text: string, elapsedMs: number): StackProgress => ({
  step: 'postgres',
  state,
  text,
  elapsedMs,
});

describe('steps of a start', () => {
  const steps = [
    step('begun', 'embedded PostgreSQL', 0),
    step('doing', 'making the database', 500),
    step('doing', 'still making it', 4_000),
    step('doing', 'almost', 5_000),
    step('done', 'PostgreSQL is ready', 5_250),
  ];

  it('are one line each where nobody looks, with a word in between when they take long', () => {
    expect(show(false, ...steps)).toBe('  … PostgreSQL      still making it\n  ✔ PostgreSQL      ready  5.3 s\n');
  });

  it('are one living line each on a terminal', () => {
    const lines = show(true, ...steps).split('\r\u001b[K');
    expect(lines).toHaveLength(steps.length + 1);
    expect(lines.at(-1)).toBe('  ✔ PostgreSQL      ready  5.3 s\n');
  });
});
