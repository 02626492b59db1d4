// Fails when a row of docs/failures.md names a test that is not there, is skipped, or names none. Another page may be named.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { complaints } from './lib/failure-page.mjs';
import { ROOT } from './lib/root.mjs';

const page = join(ROOT, 'docs', 'failures.md');
const text = readFileSync(process.argv[2] ?? page, 'utf8');
const found = complaints(text, (file) => {
  const path = resolve(dirname(page), file);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
});
if (found.length > 0) {
  console.error(`docs/failures.md does not hold:\n  ${found.join('\n  ')}`);
  process.exit(1);
}
