// Makes a built program few files that hold all they need: it starts in half the time and in less memory than from some
// two thousand. Compiled JavaScript is bundled, never the TypeScript: esbuild drops the metadata that Nest reads.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './root.mjs';

const BARE = /^[@a-z]/;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** Packages of CommonJS ask for Node's modules by `require`. */
const REQUIRE =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";

/**
 * @param {object} options
 * @param {string} options.entry the compiled main file
 * @param {string} options.outfile
 * @param {readonly string[]} [options.absent] packages that others ask for only if they are there, and that are not to be
 * @param {boolean} [options.isSplit] for a program that ends soon: what is imported on demand becomes files of its own
 *   beside `outfile`. One that stays holds its text in memory for as long, and gets it without blanks and comments.
 */
export async function bundle({ entry, outfile, absent = [], isSplit = false }) {
  const { outputFiles } = await build({
    entryPoints: [{ in: entry, out: basename(outfile, '.mjs') }],
    outdir: dirname(outfile),
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    splitting: isSplit,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    external: [...absent],
    plugins: [onlyWhatIsUsedOfRxjs, whatIsNotInstalledIsAbsent],
    banner: { js: REQUIRE },
    minifyWhitespace: !isSplit,
    lineLimit: isSplit ? undefined : 160,
    legalComments: 'none',
    logLevel: 'warning',
  });
  // A program that starts meanwhile finds whole files.
  for (const { path, text } of outputFiles) replaceFile(path, inAscii(text));
  if (isSplit) removeOld(dirname(outfile));
}

/** To programs for Node it offers files of CommonJS, of which nobody can tell what is used: all of it, 300 KB. */
const onlyWhatIsUsedOfRxjs = {
  name: 'only what is used of rxjs',
  setup(asked) {
    asked.onResolve({ filter: /^rxjs(\/operators)?$/ }, ({ path }) => ({
      path: join(ROOT, 'node_modules', path.replace('rxjs', 'rxjs/dist/esm'), 'index.js'),
    }));
  },
};

/** Drivers and helpers that a package offers to use: those of TypeORM alone are twenty. What we ask for has to be there. */
const whatIsNotInstalledIsAbsent = {
  name: 'what is not installed is absent',
  setup(asked) {
    asked.onResolve({ filter: BARE }, async ({ path, pluginData, ...from }) => {
      if (pluginData?.isOurs) return undefined;
      const found = await asked.resolve(path, { ...from, pluginData: { isOurs: true } });
      const isOffered = from.importer.includes(`${sep}node_modules${sep}`);
      return found.errors.length > 0 && isOffered ? { path, external: true } : found;
    });
  },
};

/** One other character makes V8 hold the whole text in two bytes each. esbuild leaves some in regular expressions. */
function inAscii(text) {
  return text.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function replaceFile(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

/** A command that has run for hours still finds what it loads on demand. */
function removeOld(folder) {
  for (const path of readdirSync(folder).map((name) => join(folder, name)))
    if (Date.now() - statSync(path).mtimeMs > DAY_MS) rmSync(path, { force: true });
}
