// Makes the built agent one file that starts anywhere with nothing beside it: dist/bundle/agent.mjs.
// Compiled JavaScript is bundled, never the TypeScript: esbuild drops the metadata that Nest reads.
import { join } from 'node:path';
import { build } from 'esbuild';

/** Packages that Nest and others ask for only if they are there. */
const ABSENT = [
  '@nestjs/microservices', '@nestjs/microservices/*', '@nestjs/websockets/*', '@nestjs/platform-express', 'class-transformer',
  'class-transformer/*', 'class-validator', 'osx-temperature-sensor', 'bufferutil', 'utf-8-validate',
];

export async function bundle(outfile) {
  await build({
    entryPoints: [join(import.meta.dirname, 'dist', 'main.js')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    external: ABSENT,
    banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);" },
    legalComments: 'none',
    logLevel: 'warning',
  });
}

if (process.argv[1] === import.meta.filename) {
  const outfile = join(import.meta.dirname, 'dist', 'bundle', 'agent.mjs');
  await bundle(outfile);
  process.stdout.write(`${outfile}\n`);
}
