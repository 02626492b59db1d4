import type { WorkerView } from '@muster/protocol';
import type { Declare } from '../command.js';
import { order } from '../ordering.js';
import type { Session } from '../session.js';

export const declare: Declare = (program, bind) => {
  const command = program
    .command('undrain')
    .alias('uncordon')
    .summary('Put workers back to service.')
    .description('Put workers back to service: they get jobs again, whether they were drained, being drained or cordoned.')
    .argument('<workers...>', 'Ids, beginnings of ids, or names.')
    .option('--reason <text>', 'Why, for those who read the events later.');
  bind(command, undrain);
};

async function undrain(session: Session, flags: { readonly reason?: string }, references: readonly string[]): Promise<void> {
  const { signal } = session;
  await order(session, references, {
    act: (muster, id) => muster.workers.undrain(id, { reason: flags.reason }, { signal }),
    words: wordsFor,
    isLast: true,
  });
}

function wordsFor({ status, slotsUsed, slots }: WorkerView): string {
  return `takes jobs again (${status}, ${slotsUsed} of ${slots} slots used)`;
}
