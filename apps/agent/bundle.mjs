// Makes the built agent one file that starts anywhere with nothing beside it.
import { join } from 'node:path';
import { bundle } from '../../tools/lib/bundle.mjs';

/** Nest uses them if they are there. They are, for the control plane. */
const ABSENT = [
  '@nestjs/websockets/*',
  '@nestjs/platform-express',
  'class-transformer',
  'class-transformer/*',
  'class-validator',
];

const dist = join(import.meta.dirname, 'dist');

export const bundleAgent = (outfile) => bundle({ entry: join(dist, 'main.js'), outfile, absent: ABSENT });

if (process.argv[1] === import.meta.filename) await bundleAgent(join(dist, 'bundle', 'main.mjs'));
