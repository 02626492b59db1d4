import type { CatalogEntry } from './command.js';

const entry = (name: string, load: CatalogEntry['load'], ...aliases: readonly string[]): CatalogEntry => ({
  name,
  aliases,
  load,
});

/** Every command, in the order of the help. Only the one that is called is loaded: that keeps the start short. */
export const CATALOG: readonly CatalogEntry[] = [
  entry('up', () => import('./commands/up.js')),
  entry('run', () => import('./commands/run.js')),
  entry('submit', () => import('./commands/submit.js')),
  entry('ps', () => import('./commands/ps.js'), 'jobs'),
  entry('show', () => import('./commands/show.js'), 'describe'),
  entry('explain', () => import('./commands/explain.js')),
  entry('logs', () => import('./commands/logs.js')),
  entry('metrics', () => import('./commands/metrics.js')),
  entry('wait', () => import('./commands/wait.js')),
  entry('cancel', () => import('./commands/cancel.js')),
  entry('pause', () => import('./commands/pause.js')),
  entry('resume', () => import('./commands/resume.js')),
  entry('requeue', () => import('./commands/requeue.js')),
  entry('abandon', () => import('./commands/abandon.js')),
  entry('workers', () => import('./commands/workers.js')),
  entry('worker', () => import('./commands/worker.js')),
  entry('drain', () => import('./commands/drain.js')),
  entry('cordon', () => import('./commands/cordon.js')),
  entry('undrain', () => import('./commands/undrain.js'), 'uncordon'),
  entry('agent', () => import('./commands/agent.js')),
  entry('keys', () => import('./commands/keys.js')),
  entry('login', () => import('./commands/login.js')),
  entry('context', () => import('./commands/context.js')),
  entry('whoami', () => import('./commands/whoami.js')),
  entry('api', () => import('./commands/api.js')),
  entry('completion', () => import('./commands/completion.js')),
  entry('version', () => import('./commands/version.js')),
];

/** Tells of all others. */
const NEEDS_ALL = ['completion'];

/** The entries needed to understand these words: one when they begin with a command, all when they ask for help. */
export function entriesFor(words: readonly string[]): readonly CatalogEntry[] {
  const [first] = words;
  const called = CATALOG.find(({ name, aliases }) => name === first || aliases.includes(first ?? ''));
  return called === undefined || NEEDS_ALL.includes(called.name) ? CATALOG : [called];
}
