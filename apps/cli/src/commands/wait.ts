import { JOB_STATUSES, type JobStatus, type JobView } from '@muster/protocol';
import { Option } from 'commander';
import type { Declare } from '../command.js';
import { EXIT, exitCodeOfJob } from '../exit-codes.js';
import { resolveJobId } from '../job-reference.js';
import { endText } from '../render/job.js';
import type { Session } from '../session.js';
import { toSeconds } from '../submission/units.js';

interface WaitFlags {
  readonly for?: JobStatus;
  readonly timeout?: number;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('wait')
    .summary('Wait until jobs end.')
    .description(
      'Wait until all these jobs end. Exits with 1 when one failed, 8 when one was cancelled or lost, 7 when time is up.',
    )
    .argument('<jobs...>', 'Ids, beginnings of ids, names, or @last.')
    .addOption(
      new Option('--for <status>', 'Wait for this status instead; a job that ends without it is a failure.').choices(
        JOB_STATUSES,
      ),
    )
    .option('--timeout <time>', 'Give up after this time, as in 10m; the jobs go on.', toSeconds);
  bind(command, wait);
};

async function wait(session: Session, flags: WaitFlags, references: readonly string[]): Promise<number> {
  const muster = await session.muster();
  const { output, signal } = session;
  const ids = await Promise.all(references.map((reference) => resolveJobId(session, reference)));
  const timeoutMs = flags.timeout === undefined ? undefined : flags.timeout * 1_000;
  const until = flags.for === undefined ? [] : [flags.for];
  const jobs = await Promise.all(ids.map((id) => muster.jobs.wait(id, { timeoutMs, until, signal })));
  if (output.isJson) await output.document(jobs.length === 1 ? jobs[0] : jobs);
  else
    for (const job of jobs) output.note(`${job.id} ${job.finishedAt === null ? job.status : endText(job, Date.now())}`);
  return Math.max(...jobs.map((job) => exitCodeOf(job, flags.for)));
}

function exitCodeOf(job: JobView, wanted: JobStatus | undefined): number {
  if (wanted === undefined) return exitCodeOfJob(job);
  if (job.status === wanted) return EXIT.ok;
  return exitCodeOfJob(job) || EXIT.failed;
}
