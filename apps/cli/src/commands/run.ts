import type { Declare } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { usageFailure } from '../failure.js';
import type { Session } from '../session.js';
import { addJobFlags, withFlags, type JobFlags } from '../submission/flags.js';
import { announce, send } from './submit.js';

interface RunFlags extends JobFlags {
  readonly exitStatus?: boolean;
  readonly propagateExit?: boolean;
  readonly quiet?: boolean;
  readonly detach?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('run')
    .summary('Submit a command and show its log.')
    .description('Submit the command that follows -- and show its log until it ends. Ctrl-C detaches; the job goes on.')
    .argument('[words...]', 'Command and its arguments, given to the program byte for byte.')
    .passThroughOptions()
    .option('--exit-status', 'Exit with 1 when the job failed, 8 when it was cancelled or lost (the default).')
    .option('--no-exit-status', 'Exit with 0 however the job ended.')
    .option('--propagate-exit', "Exit with the job's own code.")
    .option('-q, --quiet', 'Print nothing but what the job prints.')
    .option('-d, --detach', 'Print its id and return, as `submit` does.')
    .addHelpText('after', EXAMPLES);
  addJobFlags(command);
  bind(command, run);
};

const EXAMPLES = `
Examples:
  muster run -- python -c "print('hello')"
  muster run --gpus 1 --timeout 2h -- node train.mjs --seed 7
  muster run --shell 'make | tee build.log'
`;

async function run(session: Session, flags: RunFlags, words: readonly string[]): Promise<number> {
  if (flags.shell === undefined && words.length === 0) {
    throw usageFailure('There is no command to run.', "muster run -- <command>, or muster run --shell '<script>'");
  }
  if (flags.shell !== undefined && words.length > 0) {
    throw usageFailure('--shell stands for the command: nothing else may be given.', "muster run --shell '<script>'");
  }
  const what = flags.shell === undefined ? { command: words } : { shell: flags.shell };
  const [job] = await send(session, [{ run: what, ...withFlags({}, flags) }]);
  if (flags.detach === true && job !== undefined) {
    await announce(session, [job], { parsable: flags.quiet });
    return EXIT.ok;
  }
  const { followJob, reportEnd } = await import('../follow/follow-job.js');
  const { output } = session;
  if (job === undefined) throw new Error('the control plane accepted no job and refused none');
  if (flags.quiet !== true && !output.isJson) output.note(output.noteColours.dim(`muster: ${job.id} submitted`));
  const ended = await followJob(session, job.id, { quiet: flags.quiet });
  return reportEnd(session, ended, { ...flags, quiet: flags.quiet });
}
