import type { MetricPointView } from '@muster/protocol';
import { collect } from '../collect.js';
import type { Declare } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { resolveJob } from '../job-reference.js';
import { metricRows } from '../render/metrics.js';
import type { Session } from '../session.js';
import { toCount } from '../submission/units.js';

interface MetricsFlags {
  readonly attempt?: number;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('metrics')
    .summary('Show what a job measured.')
    .description(
      'Show what a job measured, by lines it wrote to $MUSTER_METRICS: last value, range and curve of each metric. With --json every point, of all attempts unless one is named.',
    )
    .argument('<job>', 'Id, beginning of an id, name, or @last.')
    .option('--attempt <n>', 'Of this attempt; the newest that measured anything unless given.', toCount)
    .addHelpText('after', '\nExamples:\n  muster metrics @last\n  muster metrics resnet --json > points.json\n');
  bind(command, metrics);
};

const PAGE_SIZE = 200;

async function metrics(session: Session, flags: MetricsFlags, reference: string): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const job = await resolveJob(session, reference);
  const [all, attempts] = await Promise.all([
    collect(muster.jobs.metrics(job.id, { pageSize: PAGE_SIZE, signal })),
    muster.jobs.attempts(job.id, { signal }),
  ]);
  const wanted = attempts.find(({ number }) => number === flags.attempt);
  if (flags.attempt !== undefined && wanted === undefined) throw noSuchAttempt(job.id, flags.attempt);
  if (output.isJson) return output.document(wanted === undefined ? all : ofAttempt(all, wanted.id));
  const last = all.at(-1);
  const attemptId = wanted?.id ?? last?.attemptId;
  const points = attemptId === undefined ? [] : ofAttempt(all, attemptId);
  if (points.length === 0) {
    output.note('It measured nothing. A job does by writing lines like {"step":1,"loss":0.3} to the file $MUSTER_METRICS.');
    return;
  }
  const { table } = await import('../render/table.js');
  const [head = [], ...rows] = metricRows(points, output.columns);
  await output.line(table(head, rows));
  const others = new Set(all.map((point) => point.attemptId)).size - 1;
  if (others > 0 && wanted === undefined) output.note(`${others} more ${others === 1 ? 'attempt' : 'attempts'} measured: --attempt <n> shows them.`);
}

function ofAttempt(points: readonly MetricPointView[], attemptId: string): MetricPointView[] {
  return points.filter((point) => point.attemptId === attemptId);
}

function noSuchAttempt(jobId: string, number: number): Failure {
  return new Failure({
    code: 'notFound',
    exitCode: EXIT.notFound,
    what: `There is no attempt ${number}.`,
    next: `See which there are: muster show ${jobId}`,
  });
}
