// Writes .env.example from the schemas that the programs read their environment by; with --check, says whether it is fresh.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_SCHEMA } from '../apps/agent/dist/config.js';
import { CONTROL_PLANE_SCHEMA } from '../apps/control-plane/dist/config.js';
import { STACK_SCHEMA } from '../libs/local-stack/dist/index.js';
import { formatDuration } from '../libs/runtime/dist/index.js';
import { ROOT } from './lib/root.mjs';

const FILE = join(ROOT, '.env.example');

/** Their defaults are facts of the machine. */
const OF_THE_MACHINE = ['MUSTER_AGENT_NAME', 'MUSTER_AGENT_SLOTS', 'MUSTER_AGENT_STATE_DIR'];

/** The command line and the client read these two themselves. */
const PEOPLE = [
  {
    name: 'MUSTER_URL',
    about: 'The control plane that commands talk to.',
    expected: 'an address',
    value: 'http://127.0.0.1:6878',
  },
  { name: 'MUSTER_KEY', about: 'The key that commands use (mst_…).', expected: 'a secret', value: '' },
];

const SECTIONS = [
  ['npm start', entriesOf(STACK_SCHEMA)],
  ['Control plane', entriesOf(CONTROL_PLANE_SCHEMA)],
  ['Agent', entriesOf(AGENT_SCHEMA)],
  ['Commands and client', PEOPLE],
];

function entriesOf(schema) {
  return Object.values(schema).map((field) => ({ ...field, value: defaultOf(field) }));
}

function defaultOf({ name, fallback, expected }) {
  if (fallback === 'required' || fallback.value === undefined || OF_THE_MACHINE.includes(name)) return '';
  if (expected.startsWith('a duration')) return formatDuration(fallback.value);
  return typeof fallback.value === 'object' ? '' : String(fallback.value);
}

function render() {
  const told = new Set();
  const lines = [
    '# Settings of Muster. Copy this file to .env and uncomment what you change; the environment goes before the file.',
    '# Written by tools/env-example.mjs from the schemas of the programs; do not edit.',
  ];
  for (const [title, entries] of SECTIONS) {
    lines.push('', `# ── ${title}`);
    for (const { name, about, expected, value } of entries) {
      if (told.has(name)) continue;
      told.add(name);
      lines.push('', `# ${about}`, `# Takes ${expected}.`, `#${name}=${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const fresh = render();
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, fresh);
} else if (readFileSync(FILE, 'utf8') !== fresh) {
  console.error('.env.example is stale. Write it again with: node tools/env-example.mjs');
  process.exitCode = 1;
}
