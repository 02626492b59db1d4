#!/usr/bin/env node
// The program itself is compiled; this door is there before the first build and says so.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/bundle/main.mjs', import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

function refuse(what, next) {
  process.stderr.write(`muster: ${what}\n  Next: ${next}\n`);
  process.exitCode = 1;
}

const BUILD = '`npm start` builds it and starts Muster here; `npm run build` only builds it.';

if (major < 20 || (major === 20 && minor < 19)) {
  refuse(`Node ${process.versions.node} is too old.`, 'Install Node 20.19 or newer.');
} else if (!existsSync(fileURLToPath(main))) {
  refuse('This clone is not built yet.', BUILD);
} else {
  await import(main.href).catch((error) => {
    if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    refuse(`This clone is not built or installed completely: ${error.message}`, BUILD);
  });
}
