#!/usr/bin/env node
// The program itself is compiled; this door exists before the first build and says so.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write(
    'muster: this clone is not built yet.\n' +
      'Next: `npm start` builds it and starts Muster here; `npm run build` only builds it.\n',
  );
  process.exitCode = 1;
}
