/** Lints the fixtures with the repository's own configuration and prints what ESLint says of each, in order, as JSON. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { cases } from './cases.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const pathOf = (file) => path.join(import.meta.dirname, 'bad', `${file}.ts`);

// Fixtures are ignored in the ordinary run.
const typed = new ESLint({ cwd: root, ignore: false });
// A file that only pretends to stand in a project has no types there.
const pretending = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] });

async function lint({ file, as, text, typed: hasTypes }) {
  const code = text ?? (await readFile(pathOf(file), 'utf8'));
  const filePath = hasTypes ? pathOf(file) : path.join(root, as);
  const results = await (hasTypes ? typed : pretending).lintText(code, { filePath });
  return results.flatMap((result) => result.messages.map(({ ruleId, message }) => ({ ruleId, message })));
}

const complaints = [];
for (const one of cases) complaints.push(await lint(one));
process.stdout.write(JSON.stringify(complaints));
