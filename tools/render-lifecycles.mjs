/**
 * Draws the state machines of libs/domain into docs/lifecycles.md, between its markers, so that the drawing is never older
 * than the code. `--check` writes nothing and fails when the page is stale. Another page than that one may be named.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? `${ROOT}docs/lifecycles.md`;

/** The tables as they stand in the source; nothing has to be built first. */
async function readTables() {
  const { outputFiles } = await build({
    entryPoints: [`${ROOT}libs/domain/src/index.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    conditions: ['@muster/source'],
    logLevel: 'error',
  });
  const source = Buffer.from(outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${source}`);
}

/** One mermaid drawing: `first` names the states a thing can begin in, with the cause of each. */
function draw(table, first) {
  const lines = ['```mermaid', 'stateDiagram-v2'];
  for (const [state, causes] of Object.entries(first)) lines.push(`  [*] --> ${state}: ${label(causes)}`);
  for (const [from, moves] of Object.entries(table)) {
    for (const [to, causes] of Object.entries(moves)) lines.push(`  ${from} --> ${to}: ${label(causes)}`);
    if (Object.keys(moves).length === 0) lines.push(`  ${from} --> [*]`);
  }
  return [...lines, '```'].join('\n');
}

/** A colon or semicolon would end the label in mermaid. */
function label(causes) {
  return causes.join(' / ').replaceAll(':', ' -').replaceAll(';', ',');
}

function replaceBetween(page, name, drawing) {
  const [begin, end] = [`<!-- ${name}: drawn by tools/render-lifecycles.mjs -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${PAGE} lacks the markers of "${name}".`);
  return `${page.slice(0, from + begin.length)}\n\n${drawing}\n\n${page.slice(to)}`;
}

const { JOB_TRANSITIONS, ATTEMPT_TRANSITIONS, WORKER_LINK_TRANSITIONS } = await readTables();
const { new: born, ...attempt } = ATTEMPT_TRANSITIONS;
const before = await readFile(PAGE, 'utf8');
let after = replaceBetween(before, 'job', draw(JOB_TRANSITIONS, { queued: ['accepted'] }));
after = replaceBetween(after, 'attempt', draw(attempt, born));
after = replaceBetween(after, 'worker-link', draw(WORKER_LINK_TRANSITIONS, { connected: ['first hello'] }));

if (after === before) {
  console.log('docs/lifecycles.md is up to date.');
} else if (process.argv.includes('--check')) {
  console.error('docs/lifecycles.md is stale: run `node tools/render-lifecycles.mjs` and commit the result.');
  process.exitCode = 1;
} else {
  await writeFile(PAGE, after);
  console.log('docs/lifecycles.md was drawn anew.');
}
