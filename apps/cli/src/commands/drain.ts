import { DRAIN_POLICIES, type DrainPolicy } from '@muster/protocol';
import { Option } from 'commander';
import type { Declare } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { usageFailure } from '../failure.js';
import { drainText } from '../render/worker.js';
import type { Session } from '../session.js';
import { toGraceSeconds, toSeconds } from '../submission/units.js';
import { order } from '../ordering.js';

interface DrainFlags {
  readonly policy?: DrainPolicy;
  readonly deadline?: number;
  readonly reason?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('drain')
    .summary('Take workers out of service.')
    .description(
      'Take workers out of service: they get no new jobs from now on, and what runs there comes to an end. Nothing is lost, and no retry is spent. `muster undrain` takes it back.',
    )
    .argument('<workers...>', 'Ids, beginnings of ids, or names.')
    .addOption(
      new Option(
        '--policy <policy>',
        'What becomes of jobs that run: they end by themselves (wait), or what is left at the deadline goes on elsewhere (requeue), or that and jobs that can save their state do so at once (checkpoint). wait unless given.',
      ).choices(DRAIN_POLICIES),
    )
    .option('--deadline <time>', 'When that falls due, from now: 30m, 2h; 0 for at once. With wait it only raises an alert.', toGraceSeconds)
    .option('--reason <text>', 'Why, for those who see the worker.')
    .option('-f, --wait', 'Show how it goes on and return when nothing is left there; Ctrl-C takes nothing back.')
    .option('--timeout <time>', 'With --wait: give up watching after this time.', toSeconds)
    .addHelpText('after', '\nExamples:\n  muster drain lab-3 --reason "new disk" --wait\n  muster drain lab-3 --policy requeue --deadline 10m\n');
  bind(command, drain);
};

async function drain(session: Session, flags: DrainFlags, references: readonly string[]): Promise<number> {
  const { policy, deadline: deadlineSeconds, reason } = flags;
  const { signal } = session;
  if (policy !== undefined && policy !== 'wait' && deadlineSeconds === undefined) {
    throw usageFailure(
      `--policy ${policy} acts at the deadline: give one.`,
      `muster drain ${references.join(' ')} --policy ${policy} --deadline 10m; 0 acts at once`,
    );
  }
  const workers = await order(session, references, {
    act: (muster, id) => muster.workers.drain(id, { policy, deadlineSeconds, reason }, { signal }),
    words: (worker) => `${drainText(worker, Date.now())}`,
    isLast: flags.wait !== true,
  });
  if (flags.wait !== true) return EXIT.ok;
  const { followDrain } = await import('../follow/follow-drain.js');
  return followDrain(session, workers, flags.timeout === undefined ? null : flags.timeout * 1_000);
}
