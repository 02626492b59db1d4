// Makes the built CLI few files: each command loads only what it needs. PostgreSQL's programs stay with their package.
import { join } from 'node:path';
import { bundle } from '../../tools/lib/bundle.mjs';

const dist = join(import.meta.dirname, 'dist');

await bundle({ entry: join(dist, 'main.js'), outfile: join(dist, 'bundle', 'main.mjs'), isSplit: true });
