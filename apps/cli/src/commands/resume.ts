import type { JobView } from '@muster/protocol';
import type { Declare } from '../command.js';
import type { Session } from '../session.js';
import { hintOf, steer } from '../steering.js';

interface ResumeFlags {
  readonly reason?: string;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('resume')
    .summary('Let paused jobs go on.')
    .description('Let paused jobs go on from where they were frozen; jobs that were held go back in line.')
    .argument('<jobs...>', 'Ids, beginnings of ids, names, or @last.')
    .option('--reason <text>', 'Why, for those who read the events later.');
  bind(command, resume);
};

async function resume(session: Session, flags: ResumeFlags, references: readonly string[]): Promise<void> {
  const { signal } = session;
  await steer(
    session,
    references,
    (muster, id) => muster.jobs.resume(id, { reason: flags.reason, signal }),
    wordsFor,
  );
}

function wordsFor(job: JobView): string {
  if (job.status !== 'paused') return job.status === 'queued' ? 'is back in line' : `is ${job.status}`;
  return `is being resumed${hintOf(job)}`;
}
