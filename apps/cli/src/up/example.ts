import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JobSubmission } from '@muster/client';

/** The training job that a first start shows; none when this program runs outside a clone. */
export function exampleJob(): JobSubmission | undefined {
  const program = resolve(import.meta.dirname, '../../../../examples/train-classifier/train.mjs');
  if (!existsSync(program)) return undefined;
  return { name: 'train-classifier', run: { command: ['node', program] }, labels: { example: 'first-start' } };
}
