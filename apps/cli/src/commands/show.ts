import type { AttemptView, JobView } from '@muster/protocol';
import type { Declare } from '../command.js';
import { resolveJobId } from '../job-reference.js';
import { collect } from '../collect.js';
import { renderEvents } from '../render/events.js';
import { exitText, paintStatus, progressText } from '../render/job.js';
import { between, duration, facts, pairs, plain, shorten, size, wrapped } from '../render/text.js';
import type { Session } from '../session.js';

export const declare: Declare = (program, bind) => {
  const command = program
    .command('show')
    .alias('describe')
    .summary('Show one job: state, attempts, what happened.')
    .description('Show one job: where it stands and why, its attempts, what happened, and what can be done now.')
    .argument('<job>', 'Id, beginning of an id, name, or @last.');
  bind(command, show);
};

async function show(session: Session, _flags: object, reference: string): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const id = await resolveJobId(session, reference);
  const [job, attempts, events] = await Promise.all([
    muster.jobs.get(id, { signal }),
    muster.jobs.attempts(id, { signal }),
    collect(muster.jobs.events(id, { signal })),
  ]);
  if (output.isJson) return output.document({ job, attempts, events });
  const { table } = await import('../render/table.js');
  const now = Date.now();
  const colours = output.colours;
  await output.line(facts(factsOf(job, now, paintStatus(job.status, colours)).map(([name, value]) => [name, output.called(value)]), 10, output.columns));
  if (attempts.length > 0) {
    const rows = attempts.map((attempt) => attemptCells(attempt, now));
    await output.line(
      `\n${colours.bold('Attempts')}\n${table(['#', 'WORKER', 'STATE', 'OUTCOME', 'EXIT', 'TIME', 'LOG', 'DETAIL'], rows)}`,
    );
  }
  if (events.length > 0) await output.line(`\n${renderEvents(events, now, output.columns, colours)}`);
  await output.line(`\n${wrapped(output.called(nextSteps(job)), output.columns, 6)}`);
}

function factsOf(job: JobView, now: number, status: string): readonly (readonly [string, string])[] {
  const { spec } = job;
  const link = job.workerLink !== null && job.workerLink !== 'connected' ? ` · worker ${job.workerLink}` : '';
  const reason = [job.reasonText.sentence, plain(job.reasonDetail ?? ''), job.reasonText.action]
    .filter((text) => text !== '')
    .join(' ');
  const command = spec.run.command?.map(quoted).join(' ') ?? spec.run.shell ?? `external:${spec.run.external?.kind ?? 'unknown'}`;
  return [
    ['Job', job.id],
    ['Name', plain(job.name)],
    ['Status', `${status}${link}`],
    ['Why', reason],
    ['Exit', exitText(job)],
    ['Owner', plain(job.owner)],
    ['Worker', plain(job.workerName ?? '')],
    ['Runs', plain(shorten(command, 200))],
    ['Labels', pairs(job.labels)],
    ['Priority', job.priority === 0 ? '' : String(job.priority)],
    ['Created', `${job.createdAt} (${duration(now - Date.parse(job.createdAt))} ago)`],
    ['Ran', job.startedAt === null ? '' : between(job.startedAt, job.finishedAt, now)],
    ['Progress', job.progress === null ? '' : `${progressText(job)} ${plain(job.progress.message ?? '')}`.trim()],
    ['Result', job.result === null || job.result === undefined ? '' : shorten(JSON.stringify(job.result), 500)],
  ];
}

function attemptCells(attempt: AttemptView, now: number): string[] {
  const { exit } = attempt;
  const likely = exit?.likely === true ? ' (likely)' : '';
  const log = Object.entries(attempt.logs).find(([stream]) => stream !== 'system')?.[1];
  return [
    String(attempt.number),
    plain(attempt.workerName),
    attempt.state,
    attempt.outcome ?? '',
    exit === null ? '' : `${exit.signal ?? exit.code ?? ''}${likely}`,
    between(attempt.startedAt, attempt.endedAt, now),
    log === undefined ? '' : `${size(log.storedLength)} ${log.state}`,
    shorten(plain(attempt.detail ?? ''), 80),
  ];
}

function nextSteps(job: JobView): string {
  const steps = [`muster logs ${job.id}`];
  if (job.status === 'queued') steps.push(`muster explain ${job.id}`);
  for (const action of ['pause', 'resume', 'cancel'] as const) {
    if (job.allowedActions.includes(action)) steps.push(`muster ${action} ${job.id}`);
  }
  return `Next: ${steps.join(' · ')}`;
}

/** As one would type it in a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
