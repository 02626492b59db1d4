/**
 * Every fence with a file that breaks it: `as` is the place where the file is pretended to stand, `rule` and `says` the one
 * complaint it must get. A case without a rule must pass. Files with `typed` are linted where they stand, with types.
 */
const DOMAIN = 'libs/domain/src/bad.ts';
const SERVICE = 'apps/control-plane/src/jobs/bad.service.ts';
const SPEC = 'libs/domain/src/bad.spec.ts';

const IMPORTS = 'no-restricted-imports';
const GLOBALS = 'no-restricted-globals';
const PROPERTIES = 'no-restricted-properties';
const SYNTAX = 'no-restricted-syntax';
const BOUNDARIES = '@nx/enforce-module-boundaries';

const fenceCases = [
  { file: 'domain-reads-a-file', as: DOMAIN, rule: IMPORTS, says: 'Decisions take facts as arguments' },
  { file: 'domain-reads-a-file', as: 'libs/protocol/src/bad.ts', rule: IMPORTS, says: 'Decisions take facts' },
  { file: 'domain-reads-a-file', as: 'libs/runtime/src/fine.ts' },
  { file: 'domain-reads-a-file-by-its-old-name', as: DOMAIN, rule: IMPORTS, says: 'Decisions take facts as arguments' },
  { file: 'domain-asks-the-time', as: DOMAIN, rule: PROPERTIES, says: 'Pass `now` in' },
  { file: 'domain-asks-the-time', as: SPEC },
  { file: 'domain-makes-today', as: DOMAIN, rule: SYNTAX, says: 'Pass `now` in' },
  { file: 'domain-throws-dice', as: DOMAIN, rule: PROPERTIES, says: 'Pass the choice in' },
  { file: 'domain-sets-a-timer', as: DOMAIN, rule: GLOBALS, says: 'Decisions never wait' },
  { file: 'domain-knows-the-process', as: DOMAIN, rule: GLOBALS, says: 'This lib is pure' },
  { file: 'domain-reaches-for-the-process', as: DOMAIN, rule: PROPERTIES, says: 'Take the fact as an argument' },
  { file: 'domain-fetches', as: DOMAIN, rule: GLOBALS, says: 'Decisions touch nothing outside' },
  { file: 'client-needs-node', as: 'libs/client/src/bad.ts', rule: IMPORTS, says: 'also runs in browsers' },
  { file: 'service-reads-the-environment', as: SERVICE, rule: PROPERTIES, says: 'The environment is read once' },
  { file: 'service-reads-the-environment', as: 'apps/control-plane/src/config.ts' },
  { file: 'service-refers-forward', as: SERVICE, rule: IMPORTS, says: 'let one announce and the other listen' },
  {
    file: 'controller-asks-the-repository',
    as: 'apps/control-plane/src/jobs/bad.controller.ts',
    rule: IMPORTS,
    says: 'Ask the service',
  },
  { file: 'controller-asks-the-repository', as: SERVICE },
  {
    file: 'gateway-writes-sql',
    as: 'apps/control-plane/src/sockets/bad.gateway.ts',
    rule: IMPORTS,
    says: 'Ask the service',
  },
  {
    file: 'controller-opens-a-transaction',
    as: 'apps/control-plane/src/jobs/bad.controller.ts',
    rule: IMPORTS,
    says: 'one call to a service',
  },
  { file: 'service-makes-a-clock', as: SERVICE, rule: SYNTAX, says: 'A process has one clock' },
  { file: 'service-makes-a-clock', as: 'apps/control-plane/src/core.module.ts' },
  { file: 'connection-waits-for-ever', as: SERVICE, rule: SYNTAX, says: 'Give the connection a query_timeout' },
  { file: 'connection-waits-for-ever', as: 'libs/local-stack/src/bad.ts', rule: SYNTAX, says: 'Give the connection a query_timeout' },
  { file: 'connection-waits-for-ever', as: 'apps/control-plane/test/fine.spec.ts' },
  { file: 'sql-interpolates', as: 'apps/control-plane/src/jobs/bad.sql.ts', rule: SYNTAX, says: 'one constant text' },
  { file: 'sql-interpolates', as: SERVICE },
  { file: 'sql-concatenates', as: 'apps/control-plane/src/jobs/bad.sql.ts', rule: SYNTAX, says: 'one constant text' },
  { file: 'door-exports-everything', as: 'libs/runtime/src/index.ts', rule: SYNTAX, says: 'Name each export' },
  { file: 'another-door', as: 'apps/agent/src/attempts/index.ts', rule: SYNTAX, says: 'Only a lib has an index.ts' },
  { file: 'another-door', as: 'libs/domain/src/index.ts' },
  { file: 'casts-to-any', as: SERVICE, rule: '@typescript-eslint/no-explicit-any', says: 'Unexpected any' },
  { file: 'casts-through-unknown', as: SERVICE, rule: SYNTAX, says: 'A cast through `unknown`' },
  { file: 'silences-the-compiler', as: SERVICE, rule: '@typescript-eslint/ban-ts-comment', says: '@ts-expect-error' },
  { file: 'switches-a-rule-off', as: SERVICE, rule: null, says: "has no effect because you have 'noInlineConfig'" },
  { file: 'title-says-should', as: SPEC, rule: 'muster/test-titles', says: 'without "should"' },
  { file: 'title-stands-twice', as: SPEC, rule: 'muster/test-titles', says: 'already stands in this file (line 1)' },
  { file: 'test-is-skipped', as: SPEC, rule: SYNTAX, says: 'a promise nobody keeps' },
  { file: '../good/test-is-skipped-where-it-cannot-run', as: SPEC },
  { file: 'test-is-crossed-out', as: SPEC, rule: SYNTAX, says: 'a promise nobody keeps' },
];

const typedCases = [
  { file: 'promise-floats', rule: '@typescript-eslint/no-floating-promises', says: 'Promises must be awaited' },
  {
    file: 'promise-nobody-awaits',
    rule: '@typescript-eslint/no-misused-promises',
    says: 'Promise returned in function argument',
  },
  { file: 'awaits-a-number', rule: '@typescript-eslint/await-thenable', says: 'non-Promise' },
  { file: 'throws-a-text', rule: '@typescript-eslint/only-throw-error', says: 'Expected an error object' },
  { file: 'forgets-a-state', rule: '@typescript-eslint/switch-exhaustiveness-check', says: '"running"' },
  { file: 'type-imported-as-value', rule: '@typescript-eslint/consistent-type-imports', says: 'only used as types' },
  { file: 'circle-one', rule: 'import-x/no-cycle', says: 'Dependency cycle' },
  { file: '../good/decorated-class-needs-the-value' },
].map((one) => ({ ...one, typed: true }));

const long = (lines) => Array.from({ length: lines }, (_, index) => `export const line${index} = ${index};\n`).join('');
const longFunction = (lines) => `export function work(): void {\n${'  String(1);\n'.repeat(lines)}}\n`;

const sizeCases = [
  { title: 'a file of 301 lines', as: SERVICE, text: long(301), rule: 'max-lines', says: 'Maximum allowed is 300' },
  { title: 'a file of 300 lines', as: SERVICE, text: long(300) },
  { title: 'a spec of 500 lines', as: SPEC, text: long(500) },
  { title: 'a spec of 501 lines', as: SPEC, text: long(501), rule: 'max-lines', says: 'Maximum allowed is 500' },
  {
    title: 'a function of 81 lines',
    as: SERVICE,
    text: longFunction(79),
    rule: 'max-lines-per-function',
    says: 'Maximum allowed is 80',
  },
  { title: 'a function of 80 lines', as: SERVICE, text: longFunction(78) },
];

/** One import for every layer that it must not see (with the words of the complaint), and some that it may. */
const onlyTags = 'can only depend on libs tagged with';
const notAllowed = 'is not allowed to import';
const circle = 'Circular dependency between';
const pastTheDoor = 'cannot be imported by a relative or absolute path';
const layerRows = [
  ['libs/protocol/src/bad.ts', '@muster/domain', circle],
  ['libs/protocol/src/bad.ts', '@muster/runtime', 'cannot depend on any libs'],
  ['libs/protocol/src/bad.ts', 'pino', notAllowed],
  ['libs/dto/src/bad.ts', '@muster/domain', onlyTags],
  ['libs/dto/src/bad.ts', 'typeorm', notAllowed],
  ['libs/domain/src/bad.ts', '@muster/runtime', onlyTags],
  ['libs/domain/src/bad.ts', '@muster/dto', onlyTags],
  ['libs/domain/src/bad.ts', 'rxjs', notAllowed],
  ['libs/domain/src/fine.ts', '@muster/protocol'],
  ['libs/domain/src/bad.spec.ts', '@muster/testing', circle],
  ['libs/domain/src/bad.spec.ts', '@muster/runtime', onlyTags],
  ['libs/domain/src/fine.spec.ts', 'fast-check'],
  ['libs/runtime/src/bad.ts', '@muster/protocol', 'cannot depend on any libs'],
  ['libs/runtime/src/bad.ts', '@nestjs/core', notAllowed],
  ['libs/client/src/bad.ts', '@muster/domain', onlyTags],
  ['libs/client/src/bad.ts', 'pino', notAllowed],
  ['libs/client/src/fine.ts', 'socket.io-client'],
  ['libs/local-stack/src/bad.ts', '@muster/protocol', onlyTags],
  ['libs/local-stack/src/fine.ts', '@muster/runtime'],
  ['libs/testing/src/bad.ts', '@muster/dto', onlyTags],
  ['libs/testing/src/fine.ts', '@muster/local-stack'],
  ['e2e/src/bad.ts', '@muster/domain', onlyTags],
  ['e2e/src/fine.ts', '@muster/testing'],
  ['apps/control-plane/src/bad.ts', '@muster/client', onlyTags],
  ['apps/control-plane/src/bad.ts', '@muster/testing', onlyTags],
  ['apps/control-plane/src/bad.ts', '@muster/local-stack', onlyTags],
  ['apps/control-plane/src/fine.ts', '@muster/domain'],
  ['apps/control-plane/test/fine.spec.ts', '@muster/testing'],
  ['apps/agent/src/bad.ts', '@muster/client', onlyTags],
  ['apps/agent/src/bad.ts', 'pg', notAllowed],
  ['apps/cli/src/bad.ts', '@muster/domain', onlyTags],
  ['apps/cli/src/bad.ts', '@nestjs/core', notAllowed],
  ['apps/cli/src/fine.ts', '@muster/client'],
  ['e2e/src/bad.ts', '../../apps/cli/src/main.js', pastTheDoor],
  ['apps/cli/src/bad.ts', '../../../libs/client/src/index.js', pastTheDoor],
];

const layerCases = layerRows.map(([as, seen, says]) => ({
  title: `${as} importing ${seen}`,
  as,
  text: `import * as seen from '${seen}';\n\nexport const kept = seen;\n`,
  ...(says === undefined ? {} : { rule: BOUNDARIES, says }),
}));

export const cases = [...fenceCases, ...typedCases, ...sizeCases, ...layerCases].map((one) => ({
  title: `${one.file?.replace('../good/', '')}${one.as ? ` standing in ${one.as}` : ''}`,
  ...one,
}));
