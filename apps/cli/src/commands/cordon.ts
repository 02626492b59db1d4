import type { Declare } from '../command.js';
import { order } from '../ordering.js';
import { jobs } from '../render/worker.js';
import type { Session } from '../session.js';

export const declare: Declare = (program, bind) => {
  const command = program
    .command('cordon')
    .summary('Give workers no new jobs.')
    .description('Give workers no new jobs; what runs there goes on. `muster undrain` takes it back.')
    .argument('<workers...>', 'Ids, beginnings of ids, or names.')
    .option('--reason <text>', 'Why, for those who see the worker.');
  bind(command, cordon);
};

async function cordon(session: Session, flags: { readonly reason?: string }, references: readonly string[]): Promise<void> {
  const { signal } = session;
  await order(session, references, {
    act: (muster, id) => muster.workers.cordon(id, { reason: flags.reason }, { signal }),
    words: ({ slotsUsed }) => `gets no new jobs; ${slotsUsed === 0 ? 'none runs there' : `${jobs(slotsUsed)} there ${slotsUsed === 1 ? 'goes' : 'go'} on`}`,
    isLast: true,
  });
}
