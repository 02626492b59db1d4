import { JOB_STATUSES, type JobStatus, type JobView } from '@muster/protocol';
import type { JobFilter } from '@muster/client';
import type { Declare } from '../command.js';
import { UNFINISHED } from '../job-reference.js';
import { jobRows } from '../render/job.js';
import { plain } from '../render/text.js';
import type { Session } from '../session.js';
import { intoMap, toCount, toSomeOf } from '../submission/units.js';
import { watch } from '../watch.js';

interface PsFlags {
  readonly all?: boolean;
  readonly status?: readonly JobStatus[];
  readonly label?: Readonly<Record<string, string>>;
  readonly mine?: boolean;
  readonly owner?: string;
  readonly name?: string;
  readonly limit: number;
  readonly watch?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('ps')
    .alias('jobs')
    .summary('List jobs.')
    .description('List jobs, newest first. Final ones are hidden unless -a or --status asks for them.')
    .option('-a, --all', 'Final jobs too.')
    .option('-s, --status <list>', `Only these statuses, separated by commas: ${JOB_STATUSES.join(', ')}.`, toSomeOf(JOB_STATUSES))
    .option('-l, --label <name=value>', 'Only jobs with this label; may be repeated.', intoMap)
    .option('-m, --mine', "Only jobs of my key's owner.")
    .option('--owner <name>', 'Only jobs of this owner.')
    .option('--name <text>', 'Only jobs whose name holds this text.')
    .option('-n, --limit <n>', 'At most this many; 0 for all.', toCount, 100)
    .option('-w, --watch', 'Keep showing changes until Ctrl-C.');
  bind(command, ps);
};

async function ps(session: Session, flags: PsFlags): Promise<void> {
  const filter = await toFilter(session, flags);
  const { output, signal } = session;
  if (flags.watch === true) {
    return watch<JobView>({
      read: async () => (await read(session, filter, flags.limit)).jobs,
      draw: async (found) => (found.length === 0 ? nothing(flags) : draw(session, found)),
      line: ({ id, name, status, workerName }) => [id, plain(name), status, workerName ?? '-'].join('\t'),
      output,
      signal,
    });
  }
  const { jobs, hasMore } = await read(session, filter, flags.limit);
  if (output.isJson) return output.document(jobs);
  if (jobs.length === 0) {
    output.note(nothing(flags) === NOTHING_UNFINISHED ? `${NOTHING_UNFINISHED} All of them: muster ps -a` : nothing(flags));
    return;
  }
  await output.line(await draw(session, jobs));
  if (hasMore) output.note(`Only the newest ${flags.limit} are shown. All of them: --limit 0`);
}

const NOTHING_UNFINISHED = 'No unfinished job.';

function nothing({ all, status, label, mine, owner, name }: PsFlags): string {
  const isNarrow = all === true || mine === true || [status, label, owner, name].some((flag) => flag !== undefined);
  return isNarrow ? 'No job fits.' : NOTHING_UNFINISHED;
}

async function toFilter(session: Session, flags: PsFlags): Promise<JobFilter> {
  const { signal } = session;
  const owner = flags.mine === true ? (await (await session.muster()).me({ signal })).owner : flags.owner;
  const status = flags.status ?? (flags.all === true ? undefined : UNFINISHED);
  const pageSize = flags.limit === 0 ? 200 : Math.min(200, flags.limit + 1);
  return { status, owner, labels: flags.label, text: flags.name, pageSize, signal };
}

async function read(
  session: Session,
  filter: JobFilter,
  limit: number,
): Promise<{ jobs: readonly JobView[]; hasMore: boolean }> {
  const jobs: JobView[] = [];
  for await (const job of (await session.muster()).jobs.list(filter)) {
    if (limit !== 0 && jobs.length === limit) return { jobs, hasMore: true };
    jobs.push(job);
  }
  return { jobs, hasMore: false };
}

async function draw(session: Session, jobs: readonly JobView[]): Promise<string> {
  const { table } = await import('../render/table.js');
  const [head = [], ...rows] = jobRows(jobs, Date.now(), session.output.columns, session.output.colours);
  return table(head, rows);
}
