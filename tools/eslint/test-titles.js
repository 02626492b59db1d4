/**
 * Titles of tests are promises: present tense, without "should", each made once per file (its describe blocks included).
 * Reading the titles of a folder is reading its specification.
 */
const TEST_NAMES = new Set(['it', 'test']);

/** The name at the root of `it(…)`, `it.each(table)(…)`, `it.each`…``(…), or undefined. */
function rootName(callee) {
  let node = callee;
  while (node.type !== 'Identifier') {
    if (node.type === 'MemberExpression') node = node.object;
    else if (node.type === 'CallExpression') node = node.callee;
    else if (node.type === 'TaggedTemplateExpression') node = node.tag;
    else return undefined;
  }
  return node.name;
}

function titleOf(argument) {
  if (argument?.type === 'Literal' && typeof argument.value === 'string') return argument.value;
  if (argument?.type === 'TemplateLiteral') return argument.quasis.map((quasi) => quasi.value.cooked).join('${}');
  return undefined;
}

export const testTitles = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      should: 'A title is a promise in the present tense: say what happens, without "should".',
      twice: 'This title already stands in this file (line {{line}}): each promise is made once.',
    },
  },
  create(context) {
    const describes = [];
    const seen = new Map();
    return {
      CallExpression(node) {
        const name = rootName(node.callee);
        const title = titleOf(node.arguments[0]);
        if (title === undefined) return;
        if (name === 'describe') {
          describes.push({ node, title });
          if (/\bshould\b/i.test(title)) context.report({ node: node.arguments[0], messageId: 'should' });
        }
        if (!TEST_NAMES.has(name)) return;
        if (/\bshould\b/i.test(title)) context.report({ node: node.arguments[0], messageId: 'should' });
        const whole = [...describes.map((block) => block.title), title].join(' › ');
        const line = seen.get(whole);
        if (line !== undefined) context.report({ node: node.arguments[0], messageId: 'twice', data: { line } });
        else seen.set(whole, node.loc.start.line);
      },
      'CallExpression:exit'(node) {
        if (describes.at(-1)?.node === node) describes.pop();
      },
    };
  },
};
