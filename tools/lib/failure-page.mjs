/** The page of failures as data: its rows, and for each the tests that are named as its proofs. */
import ts from 'typescript';

/** F1 to this. */
export const LAST_FAILURE = 33;

/**
 * @param {string} text the page
 * @returns {{ id: string | null, proofs: { title: string, file: string }[] }[]} rows of its tables in order, those that are
 *   about no numbered failure with null; files as linked
 */
export function readFailures(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => ({ id: /^\| (F\d+) \|/.exec(line)?.[1] ?? null, proofs: proofsIn(line) }));
}

/** `[title](file.spec.ts)`, or a table of mutants or a `describe-*.ts` in place of the file; a bar in a title is written `\|`. */
function proofsIn(line) {
  return [...line.matchAll(/\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)#]+(?:\.spec|-mutants|\/describe-[a-z-]+)\.tsx?)\)/g)].map(([, title, file]) => ({
    title: title.replaceAll('\\|', '|').replaceAll('\\_', '_'),
    file,
  }));
}

/**
 * The tests of a file by their titles, as they are written there. `isSkipped`: it, or a `describe` around it, is crossed out
 * for good; a test that runs only where the machine allows it is not. Of a table, each first text of a row is a title too,
 * and each `name` of an entry.
 * @param {string} source
 * @returns {Map<string, { isSkipped: boolean }>}
 */
export function titlesIn(source) {
  const titles = new Map();
  const file = ts.createSourceFile('a.spec.tsx', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const tables = new Set([...source.matchAll(/\.each\((\w+)/g)].map(([, name]) => name));
  const visit = (node, isInSkipped, isInTable) => {
    let isSkipped = isInSkipped;
    let isTable = isInTable || (ts.isVariableDeclaration(node) && tables.has(node.name.getText()));
    if (ts.isCallExpression(node)) {
      const name = calleeName(node);
      const title = node.arguments[0];
      isSkipped ||= /^x|\.(skip|todo|failing)\b/.test(name);
      const isTest = /^(x?it|x?test|it[A-Z]\w*|test[A-Z]\w*|fit)\b/.test(name);
      if (isTest && title && ts.isStringLiteralLike(title)) titles.set(title.text, { isSkipped });
      isTable ||= /\.each$/.test(node.expression.getText());
    } else if (isTable && ts.isArrayLiteralExpression(node)) {
      const first = node.elements[0];
      if (first && ts.isStringLiteralLike(first) && !titles.has(first.text)) titles.set(first.text, { isSkipped });
    } else if (ts.isPropertyAssignment(node) && node.name.getText() === 'name' && ts.isStringLiteralLike(node.initializer)) {
      if (!titles.has(node.initializer.text)) titles.set(node.initializer.text, { isSkipped });
    }
    ts.forEachChild(node, (child) => visit(child, isSkipped, isTable));
  };
  visit(file, false, false);
  return titles;
}

/** `it`, `it.each`, `describe.skip`; of `on(shape)('…')` the inner name. */
function calleeName(call) {
  let callee = call.expression;
  while (ts.isCallExpression(callee) || ts.isTaggedTemplateExpression(callee))
    callee = ts.isCallExpression(callee) ? callee.expression : callee.tag;
  return callee.getText();
}

/**
 * What is wrong with the page; empty when each failure is proven.
 * @param {string} text
 * @param {(file: string) => string | null} readTest the source of a linked file, null when there is none
 */
export function complaints(text, readTest) {
  const rows = readFailures(text);
  const found = [];
  for (let number = 1; number <= LAST_FAILURE; number++) {
    const count = rows.filter(({ id }) => id === `F${number}`).length;
    if (count !== 1) found.push(`F${number} stands there ${count} times, not once`);
  }
  for (const { id, proofs } of rows) {
    if (id !== null && proofs.length === 0) found.push(`${id} has no proof`);
    for (const { title, file } of proofs) {
      const source = readTest(file);
      const test = source === null ? null : titlesIn(source).get(title);
      if (source === null) found.push(`${id ?? 'a rule'}: there is no ${file}`);
      else if (!test) found.push(`${id ?? 'a rule'}: ${file} has no test "${title}"`);
      else if (test.isSkipped) found.push(`${id ?? 'a rule'}: "${title}" in ${file} is skipped`);
    }
  }
  return found;
}
