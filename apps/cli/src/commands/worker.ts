import { CAPABILITIES, WORKER_OVERRIDES, type Capability, type WorkerOverride, type WorkerView } from '@muster/protocol';
import type { WorkerChanges } from '@muster/client';
import { Option, type Command } from 'commander';
import { collect } from '../collect.js';
import type { Bind, Declare } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageFailure } from '../failure.js';
import { jobRows } from '../render/job.js';
import { pairs, plain } from '../render/text.js';
import { workerFacts } from '../render/worker.js';
import type { Session } from '../session.js';
import { toCount, toSomeOf } from '../submission/units.js';
import { heldJobs, resolveWorker, resolveWorkers } from '../worker-reference.js';

const WORKER = 'Its id, the beginning of its id, or its name.';

export const declare: Declare = (program, bind) => {
  const worker = program
    .command('worker')
    .summary('Show and change one worker.')
    .description('Show one worker, and set what stands above the words of its agent: name, labels, slots. Out of service with `muster drain`.');
  const showing = worker
    .command('show')
    .alias('describe')
    .summary('Show one worker: machine, load, orders, jobs.')
    .description('Show one worker: what it is, how it is, what was ordered about it, the jobs it holds, and what happened.')
    .argument('<worker>', WORKER);
  bind(showing, show);
  declareChanges(worker, bind);
  const removing = worker
    .command('rm')
    .alias('remove')
    .summary('Take workers out of the list.')
    .description('Take workers out of the list: they get no jobs any more, and no agent may be them again. What they did stays readable.')
    .argument('<workers...>', 'Ids, beginnings of ids, or names.')
    .option('--force', 'Also while they hold jobs: those wait for other workers.');
  bind(removing, remove);
};

function declareChanges(worker: Command, bind: Bind): void {
  const renaming = worker
    .command('rename')
    .summary('Give it another name.')
    .description('Give a worker another name; its id stays. Without one it is called again as its agent says.')
    .argument('<worker>', WORKER)
    .argument('[name]', 'Its new name.');
  bind(renaming, rename);
  const labelling = worker
    .command('label')
    .summary('Set and remove labels.')
    .description('Set and remove labels of a worker; the others stay. From then on the labels of its agent do not count.')
    .argument('<worker>', WORKER)
    .argument('<labels...>', 'name=value sets one, name- removes it.')
    .addHelpText('after', '\nExamples:\n  muster worker label lab-3 zone=lab driver=550\n  muster worker label lab-3 old-\n');
  bind(labelling, label);
  const setting = worker
    .command('set')
    .summary('Set slots, kind and content types.')
    .description('Set what stands above the words of its agent, now and after restarts, or give it back to the agent.')
    .argument('<worker>', WORKER)
    .option('--slots <n>', 'Jobs it takes at once; of fewer, what runs above them ends by itself.', toCount)
    .addOption(new Option('--capability <kind>', 'What it is good for.').choices(CAPABILITIES))
    .option('--content-types <list>', 'What it takes, separated by commas.', toTypes)
    .option(
      '--reset <list>',
      `Give these back to the agent, separated by commas: ${WORKER_OVERRIDES.join(', ')}.`,
      toSomeOf(WORKER_OVERRIDES),
    );
  bind(setting, set);
}

async function show(session: Session, _flags: object, reference: string): Promise<void> {
  const { output, signal } = session;
  const muster = await session.muster();
  const worker = await resolveWorker(session, reference);
  const [jobs, events] = await Promise.all([
    heldJobs(muster, worker.id, signal),
    collect(muster.workers.events(worker.id, { pageSize: 200, signal })),
  ]);
  if (output.isJson) return output.document({ worker, jobs, events });
  const now = Date.now();
  await output.line(workerFacts(worker, now, output.columns, output.colours));
  if (jobs.length > 0) {
    const { table } = await import('../render/table.js');
    const [head = [], ...rows] = jobRows(jobs, now, output.columns, output.colours);
    await output.line(`\n${output.colours.bold('Jobs it holds')}\n${table(head, rows)}`);
  }
  if (events.length > 0) {
    const { renderEvents } = await import('../render/events.js');
    await output.line(`\n${renderEvents(events, now, output.columns, output.colours)}`);
  }
  if (worker.removedAt === null) await output.line(`\n${output.called(nextSteps(worker))}`);
}

function nextSteps({ name, id, maintenance }: WorkerView): string {
  const reference = /^[\w.-]+$/.test(name) ? name : id;
  const steps = maintenance === null ? [`muster drain ${reference}`] : [`muster undrain ${reference}`];
  return `Next: ${[...steps, 'muster ps -w'].join(' · ')}`;
}

async function rename(session: Session, _flags: object, reference: string, name: string | undefined): Promise<void> {
  const before = await resolveWorker(session, reference);
  const after = await change(session, before, { name: name ?? null });
  if (!session.output.isJson) session.output.note(`${before.id} is called ${plain(after.name)} now${before.name === after.name ? ', as before' : `, ${plain(before.name)} before`}.`);
}

async function label(session: Session, _flags: object, reference: string, words: readonly string[]): Promise<void> {
  const changes = words.map(toLabelChange);
  const worker = await resolveWorker(session, reference);
  const labels = new Map(Object.entries(worker.labels));
  for (const [name, value] of changes) {
    if (value === null) labels.delete(name);
    else labels.set(name, value);
  }
  const after = await change(session, worker, { labels: Object.fromEntries(labels) });
  if (!session.output.isJson) session.output.note(`${plain(after.name)} has the labels ${pairs(after.labels) || '(none)'}.`);
}

/** `name=value`, or `name-` for none any more. */
function toLabelChange(word: string): readonly [string, string | null] {
  const at = word.indexOf('=');
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
  if (at < 0 && word.length > 1 && word.endsWith('-')) return [word.slice(0, -1), null];
  throw usageFailure(`${JSON.stringify(word)} is no label.`, 'name=value sets one, name- removes it.');
}

interface SetFlags {
  readonly slots?: number;
  readonly capability?: Capability;
  readonly contentTypes?: readonly string[];
  readonly reset?: readonly WorkerOverride[];
}

async function set(session: Session, flags: SetFlags, reference: string): Promise<void> {
  const { slots, capability, contentTypes, reset = [] } = flags;
  const given = Object.entries({ slots, capability, contentTypes }).filter(([, value]) => value !== undefined);
  const changes: WorkerChanges = Object.fromEntries([...reset.map((what) => [what, null] as const), ...given]);
  if (Object.keys(changes).length === 0) throw usageFailure('Nothing to set was given.', 'muster worker set --help');
  const after = await change(session, await resolveWorker(session, reference), changes);
  if (session.output.isJson) return;
  const takes = after.contentTypes.map(plain).join(', ') || 'nothing';
  session.output.note(`${plain(after.name)}: ${after.slotsUsed} of ${after.slots} slots used, ${after.capability}, takes ${takes}.`);
}

async function change(session: Session, { id }: WorkerView, changes: WorkerChanges): Promise<WorkerView> {
  const { output, signal } = session;
  const after = await (await session.muster()).workers.update(id, changes, { signal });
  if (output.isJson) await output.document(after);
  return after;
}

async function remove(session: Session, { force }: { readonly force?: boolean }, references: readonly string[]): Promise<void> {
  const { output, signal } = session;
  const muster = await session.muster();
  const workers = await resolveWorkers(session, references);
  const removed: WorkerView[] = [];
  for (const { id, name } of workers) {
    removed.push(await muster.workers.remove(id, { isForced: force, signal }).catch((error: unknown) => failWith(error, name)));
    if (!output.isJson) output.note(`${id} (${plain(name)}) removed`);
  }
  if (output.isJson) await output.document(removed);
}

/** What the control plane advises is about its own interface. */
async function failWith(error: unknown, name: string): Promise<never> {
  const { IllegalTransition } = await import('@muster/client');
  if (!(error instanceof IllegalTransition)) throw error;
  throw new Failure({
    code: error.code,
    exitCode: EXIT.conflict,
    what: `${plain(name)} was not removed.`,
    why: error.detail,
    next: `Empty it first: muster drain ${plain(name)} --wait. Or --force: its jobs wait for other workers then.`,
    status: error.status,
    requestId: error.requestId,
    cause: error,
  });
}

function toTypes(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
