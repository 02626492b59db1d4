import type { JobView } from '@muster/protocol';
import type { Declare } from '../command.js';
import type { Session } from '../session.js';
import { hintOf, steer } from '../steering.js';

interface PauseFlags {
  readonly reason?: string;
  readonly wait?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('pause')
    .summary('Freeze jobs where they are.')
    .description(
      'Freeze jobs where they are: slot, memory and GPUs stay held, the run limit does not count. Jobs that do not run yet are held out of line.',
    )
    .argument('<jobs...>', 'Ids, beginnings of ids, names, or @last.')
    .option('--reason <text>', 'Why, for those who read the events later.')
    .option('--wait', 'Return when they stand still, or have ended before they could.');
  bind(command, pause);
};

async function pause(session: Session, flags: PauseFlags, references: readonly string[]): Promise<void> {
  const { signal } = session;
  await steer(
    session,
    references,
    async (muster, id) => {
      const asked = await muster.jobs.pause(id, { reason: flags.reason, signal });
      return flags.wait === true ? muster.jobs.wait(id, { until: ['paused'], signal }) : asked;
    },
    wordsFor,
  );
}

function wordsFor(job: JobView): string {
  if (job.finishedAt !== null) return `${job.status} before it could be paused`;
  if (job.status === 'paused') return job.currentAttemptId === null ? 'is held, and is not started before it is resumed' : 'is paused';
  return `is being paused${hintOf(job)}`;
}
