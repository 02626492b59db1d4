import type { JobView } from '@muster/protocol';
import type { Declare } from '../command.js';
import type { Session } from '../session.js';
import { hintOf, steer } from '../steering.js';

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
  const { signal } = session;
  await steer(
    session,
    references,
    async (muster, id) => {
      const asked = await muster.jobs.cancel(id, { force: flags.force, reason: flags.reason, signal });
      return flags.wait === true ? muster.jobs.wait(id, { signal }) : asked;
    },
    wordsFor,
  );
}

function wordsFor(job: JobView): string {
  if (job.status === 'cancelled') return 'cancelled';
  return `is being cancelled${hintOf(job)}`;
}
