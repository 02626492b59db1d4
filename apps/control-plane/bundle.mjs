// Makes the built control plane one file. What it serves as files (Swagger UI) stays with its package.
import { join } from 'node:path';
import { bundle } from '../../tools/lib/bundle.mjs';

const dist = join(import.meta.dirname, 'dist');

await bundle({ entry: join(dist, 'main.js'), outfile: join(dist, 'bundle', 'main.mjs') });
