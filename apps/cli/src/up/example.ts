import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobSubmission } from '@muster/client';

/** The training job that a first start shows; none when this program runs outside a clone. Its model is kept in the data directory. */
export function exampleJob(dataDir: string): JobSubmission | undefined {
  const program = resolve(import.meta.dirname, '../../../../examples/train-classifier/train.mjs');
  if (!existsSync(program)) return undefined;
  return {
    name: 'train-classifier',
    run: { command: ['node', program] },
    env: { MODEL_DIR: join(dataDir, 'example') },
    labels: { example: 'first-start' },
  };
}
