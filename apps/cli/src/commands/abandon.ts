import type { Declare } from '../command.js';
import type { Session } from '../session.js';
import { steer } from '../steering.js';

export const declare: Declare = (program, bind) => {
  const command = program
    .command('abandon')
    .summary('Give up jobs whose workers do not answer.')
    .description('Give up jobs whose workers do not answer: they end at once, although their processes may still be running.')
    .argument('<jobs...>', 'Ids, beginnings of ids, names, or @last.');
  bind(command, abandon);
};

async function abandon(session: Session, _flags: object, references: readonly string[]): Promise<void> {
  const { signal } = session;
  await steer(session, references, (muster, id) => muster.jobs.abandon(id, { signal }), (job) => `${job.status}, given up`);
}
