/**
 * The architecture, executable. Layers stand in tools/eslint/layers.js, fences in tools/eslint/fences.js; tools/lint-fixtures
 * holds one bad file per fence and a spec that expects the complaint, because a rule that silently stopped working is worse
 * than none.
 */
import js from '@eslint/js';
import devkit from '@nx/devkit';
import nx from '@nx/eslint-plugin';
import { defineConfig } from 'eslint/config';
import prettier from 'eslint-config-prettier';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { fences } from './tools/eslint/fences.js';
import { layers, layersOfSpecs } from './tools/eslint/layers.js';
import { testTitles } from './tools/eslint/test-titles.js';

// Without a project graph the boundaries rule skips itself and says so in one line that nobody reads.
try {
  devkit.readCachedProjectGraph();
} catch {
  await devkit.createProjectGraphAsync({ exitOnError: false });
}

const SPECS = ['**/*.spec.ts', '**/test/**/*.ts', 'e2e/**/*.ts'];
const TYPED = ['{apps,libs,e2e}/**/*.ts', 'tools/**/*.ts', 'examples/**/*.ts'];

/** Places that may read the environment: each app's and lib's one reader, and code that builds a child's environment. */
const READERS_OF_THE_ENVIRONMENT = [
  '**/config.ts',
  '**/*.config.ts',
  '**/env.ts',
  // Starts PostgreSQL and our own apps as processes: a child inherits PATH and the like from here.
  'libs/local-stack/src/**/*.ts',
  // The same for tests that start processes.
  'libs/testing/src/**/*.ts',
  ...SPECS,
];

/** Places that make the clock of their process: its module, and what runs before or without one. */
const MAKERS_OF_THE_CLOCK = [
  '**/*.module.ts',
  'apps/agent/src/doctor/doctor.ts',
  // Only waits; there is no module yet while the database is away.
  'apps/control-plane/src/database/when-reachable.ts',
  ...SPECS,
];

const boundaries = (depConstraints) => ({
  '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: false, allow: [], depConstraints }],
});

export default defineConfig(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/coverage/**',
      '.nx/**',
      // Bad on purpose; linted by their spec only.
      'tools/lint-fixtures/{bad,good}/**',
    ],
  },
  {
    // An exception to a rule is written here, with its reason, and not beside the code.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' },
  },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { globals: globals.node },
    rules: {
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'smart'],
      'prefer-const': 'error',
    },
  },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: TYPED })),
  {
    files: TYPED,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx, 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.js', '.mjs'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    rules: {
      // The compiler knows every name; this rule only repeats it, worse.
      'no-undef': 'off',
      // Logs are bytes as printed: escape sequences and NUL are what we look for, on purpose.
      'no-control-regex': 'off',
      eqeqeq: ['error', 'smart'],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true, IIFEs: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': 'allow-with-description', minimumDescriptionLength: 10 },
      ],
      // Modules, guards and events without members are classes because Nest needs a class to name.
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      ...boundaries(layers),
      ...fences.everywhere,
      ...fences.imports,
    },
  },
  { files: ['{apps,libs}/**/*.ts'], ignores: READERS_OF_THE_ENVIRONMENT, rules: fences.environment },
  { files: ['apps/*/src/**/*.ts'], ignores: MAKERS_OF_THE_CLOCK, rules: fences.apps },
  { files: ['libs/local-stack/src/**/*.ts'], rules: fences.localStack },
  { files: ['libs/{domain,protocol}/src/**/*.ts'], ignores: SPECS, rules: fences.pure },
  { files: ['libs/client/src/**/*.ts'], ignores: SPECS, rules: fences.browser },
  { files: ['apps/*/src/**/*.{controller,gateway}.ts'], rules: fences.edges },
  { files: ['**/*.sql.ts'], rules: fences.sql },
  { files: ['**/index.ts'], ignores: ['libs/*/src/index.ts'], rules: fences.strayDoor },
  {
    files: SPECS,
    plugins: { muster: { rules: { 'test-titles': testTitles } } },
    rules: {
      ...boundaries(layersOfSpecs),
      ...fences.specs,
      'muster/test-titles': 'error',
      // A describe block is a list of promises, not a function one reads at once.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
    },
  },
  prettier,
);
