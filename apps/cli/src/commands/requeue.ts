import type { Declare } from '../command.js';
import type { Session } from '../session.js';
import { steer } from '../steering.js';

export const declare: Declare = (program, bind) => {
  const command = program
    .command('requeue')
    .summary('Take jobs back from workers that do not answer.')
    .description(
      'Take jobs back from workers that do not answer: they wait for other workers, and what still runs is stopped when its worker is back.',
    )
    .argument('<jobs...>', 'Ids, beginnings of ids, names, or @last.');
  bind(command, requeue);
};

async function requeue(session: Session, _flags: object, references: readonly string[]): Promise<void> {
  const { signal } = session;
  await steer(session, references, (muster, id) => muster.jobs.requeue(id, { signal }), () => 'waits for another worker');
}
