import { CAPABILITIES, WORKER_STATUSES, type Capability, type WorkerStatus, type WorkerView } from '@muster/protocol';
import type { WorkerFilter } from '@muster/client';
import { collect } from '../collect.js';
import type { Declare } from '../command.js';
import { workerNote, workerRows, workersSummary } from '../render/worker.js';
import { plain } from '../render/text.js';
import type { Session } from '../session.js';
import { intoList, toSomeOf } from '../submission/units.js';
import { watch } from '../watch.js';

interface WorkersFlags {
  readonly status?: readonly WorkerStatus[];
  readonly capability?: readonly Capability[];
  readonly contentType?: string;
  readonly label?: readonly string[];
  readonly available?: boolean;
  readonly owner?: string;
  readonly name?: string;
  readonly all?: boolean;
  readonly watch?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('workers')
    .summary('List workers.')
    .description('List the machines that run jobs: what they are, how full, and when they were last heard of.')
    .option('-s, --status <list>', `Only these statuses, separated by commas: ${WORKER_STATUSES.join(', ')}.`, toSomeOf(WORKER_STATUSES))
    .option('--capability <list>', `Only these kinds, separated by commas: ${CAPABILITIES.join(', ')}.`, toSomeOf(CAPABILITIES))
    .option('--content-type <type>', 'Only workers that take it.')
    .option('-l, --label <condition>', 'Only workers whose labels fit, as in zone=lab or driver>=550; may be repeated.', intoList)
    .option('--available', 'Only workers that would be offered a job now.')
    .option('--owner <name>', 'Only workers of this owner.')
    .option('--name <text>', 'Only workers whose name holds this text.')
    .option('-a, --all', 'Removed ones too.')
    .option('-w, --watch', 'Keep showing changes until Ctrl-C.');
  bind(command, workers);
};

async function workers(session: Session, flags: WorkersFlags): Promise<void> {
  const { output, signal } = session;
  const filter: WorkerFilter = {
    status: flags.status,
    capability: flags.capability,
    contentType: flags.contentType,
    labels: flags.label?.join(','),
    isAvailable: flags.available,
    owner: flags.owner,
    withRemoved: flags.all,
    text: flags.name,
    pageSize: 200,
    signal,
  };
  const muster = await session.muster();
  const read = (): Promise<readonly WorkerView[]> => collect(muster.workers.list(filter));
  if (flags.watch === true) {
    const draw = async (found: readonly WorkerView[]): Promise<string> =>
      `${workersSummary(found)}\n\n${found.length === 0 ? 'No worker fits.' : await drawTable(session, found)}`;
    return watch({ read, draw, line: lineOf, output, signal });
  }
  const found = await read();
  if (output.isJson) return output.document(found);
  if (found.length > 0) return output.line(await drawTable(session, found));
  const { pageSize: _size, signal: _signal, withRemoved: _all, ...conditions } = filter;
  const isNarrow = Object.values(conditions).some((condition) => condition !== undefined);
  output.note(isNarrow ? 'No worker fits.' : 'No worker. Start Muster with one on this machine: muster up');
}

async function drawTable({ output }: Session, found: readonly WorkerView[]): Promise<string> {
  const { table } = await import('../render/table.js');
  const [head = [], ...rows] = workerRows(found, Date.now(), output.columns, output.colours);
  return table(head, rows);
}

/** For a pipe that is told of changes: what moves with every beat is left out. */
function lineOf(worker: WorkerView): string {
  const { id, name, status, link, slotsUsed, slots } = worker;
  return [id, plain(name), status, link, `${slotsUsed}/${slots}`, workerNote(worker, null) || '-'].join('\t');
}
