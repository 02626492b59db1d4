import type { JobView } from '@muster/protocol';
import type { Declare } from '../command.js';
import { resolveJobId } from '../job-reference.js';
import type { Session } from '../session.js';

interface CancelFlags {
  readonly force?: boolean;
  readonly reason?: string;
  readonly wait?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('cancel')
    .summary('Stop jobs.')
    .description('Stop jobs: their processes get the stop signal, their grace, and then KILL.')
    .argument('<jobs...>', 'Ids, beginnings of ids, names, or @last.')
    .option('--force', 'KILL at once.')
    .option('--reason <text>', 'Why, for those who read the events later.')
    .option('--wait', 'Return when they have ended.');
  bind(command, cancel);
};

async function cancel(session: Session, flags: CancelFlags, references: readonly string[]): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  // All names are understood before the first job is stopped.
  const ids = await Promise.all(references.map((reference) => resolveJobId(session, reference)));
  const jobs: JobView[] = [];
  for (const id of ids) {
    const asked = await muster.jobs.cancel(id, { force: flags.force, reason: flags.reason, signal });
    const job = flags.wait === true ? await muster.jobs.wait(id, { signal }) : asked;
    jobs.push(job);
    if (!output.isJson) output.note(`${job.id} ${job.status === 'cancelled' ? 'cancelled' : 'is being cancelled'}`);
  }
  if (output.isJson) await output.document(jobs.length === 1 ? jobs[0] : jobs);
}
