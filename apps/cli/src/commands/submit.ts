import type { JobSubmission } from '@muster/client';
import type { JobView } from '@muster/protocol';
import type { Declare } from '../command.js';
import { EXIT, exitCodeOfJob } from '../exit-codes.js';
import { usageFailure } from '../failure.js';
import { rememberLastJob } from '../last-job.js';
import type { Session } from '../session.js';
import { addJobFlags, withFlags, type JobFlags } from '../submission/flags.js';

export interface SubmitFlags extends JobFlags {
  readonly follow?: boolean;
  readonly wait?: boolean;
  readonly dryRun?: boolean;
  readonly parsable?: boolean;
  readonly idempotencyKey?: string;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('submit')
    .summary('Submit jobs and return.')
    .description('Submit a job from a file (JSON or YAML, - for stdin), or the command that follows --.')
    .argument('[words...]', 'File with one job or several, or -- and a command.')
    .passThroughOptions(false)
    .option('-f, --follow', 'Show its log until it ends.')
    .option('--wait', 'Wait until it ends.')
    .option('--dry-run', 'Print what would be submitted, and submit nothing.')
    .option('--parsable', 'Print only the id.')
    .option('--idempotency-key <key>', 'Two submits with the same key make one job.')
    .addHelpText('after', EXAMPLES);
  addJobFlags(command);
  bind(command, submit);
};

const EXAMPLES = `
Examples:
  muster submit job.yaml --follow
  muster submit --name sweep-7 --env LR=0.1 --timeout 2h -- node train.mjs
  id=$(muster submit --parsable -- make all) && muster wait "$id"
`;

async function submit(session: Session, flags: SubmitFlags, words: readonly string[]): Promise<number> {
  const jobs = await jobsOf(session, flags, words);
  const { output } = session;
  if (flags.dryRun === true) {
    await output.document(jobs.length === 1 ? jobs[0] : { jobs });
    output.note('Nothing was submitted.');
    return EXIT.ok;
  }
  if (flags.follow === true && jobs.length > 1) {
    throw usageFailure(
      'Only one job can be followed.',
      'Submit them with --wait, or follow each: muster logs -f <job>',
    );
  }
  const accepted = await send(session, jobs, flags.idempotencyKey);
  if (flags.follow !== true && flags.wait !== true) {
    await announce(session, accepted, flags);
    return EXIT.ok;
  }
  return flags.follow === true ? follow(session, accepted[0], flags) : waitFor(session, accepted, flags);
}

/** Submits and remembers the last one as `@last`. */
export async function send(
  session: Session,
  jobs: readonly JobSubmission[],
  idempotencyKey?: string,
): Promise<readonly JobView[]> {
  const muster = await session.muster();
  const { signal } = session;
  const [only] = jobs;
  const accepted =
    jobs.length === 1 && only !== undefined
      ? [await muster.jobs.submit(only, { idempotencyKey, signal })]
      : await muster.jobs.submitMany(jobs, { idempotencyKey, signal });
  const last = accepted.at(-1);
  if (last !== undefined) rememberLastJob(session.stateFolder, muster.url, last.id);
  return accepted;
}

/** Prints the ids, and for people how to go on. */
export async function announce(
  session: Session,
  jobs: readonly JobView[],
  flags: Pick<SubmitFlags, 'parsable'>,
): Promise<void> {
  const { output } = session;
  if (output.isJson) return output.document(jobs.length === 1 ? jobs[0] : jobs);
  for (const { id } of jobs) await output.line(id);
  if (flags.parsable === true) return;
  const [first] = jobs;
  if (jobs.length === 1 && first !== undefined) {
    output.note(`Submitted ${first.name}. Follow it: muster logs -f ${first.id}`);
  } else output.note(`Submitted ${jobs.length} jobs. See them: muster ps`);
}

async function follow(session: Session, job: JobView | undefined, flags: SubmitFlags): Promise<number> {
  if (job === undefined) return EXIT.failed;
  const { followJob, reportEnd } = await import('../follow/follow-job.js');
  if (flags.parsable !== true && !session.output.isJson) session.output.note(`Submitted ${job.id}`);
  const ended = await followJob(session, job.id, {});
  return reportEnd(session, ended, {});
}

async function waitFor(session: Session, jobs: readonly JobView[], flags: SubmitFlags): Promise<number> {
  const muster = await session.muster();
  const { output } = session;
  const ended: JobView[] = [];
  if (!output.isJson) await announce(session, jobs, { ...flags, parsable: true });
  for (const { id } of jobs) ended.push(await muster.jobs.wait(id, { signal: session.signal }));
  if (output.isJson) await output.document(ended.length === 1 ? ended[0] : ended);
  else if (flags.parsable !== true) for (const { id, status } of ended) output.note(`${id} ${status}`);
  return Math.max(...ended.map(exitCodeOfJob));
}

async function jobsOf(session: Session, flags: SubmitFlags, words: readonly string[]): Promise<JobSubmission[]> {
  const hasCommand = session.words.includes('--');
  const howTo = 'muster submit <file>, or muster submit -- <command>';
  if (flags.shell !== undefined) {
    if (words.length > 0) throw usageFailure('--shell stands for the command: nothing else may be given.', howTo);
    return [complete(withFlags({ run: { shell: flags.shell } }, flags))];
  }
  if (words.length === 0) throw usageFailure('There is nothing to submit.', howTo);
  if (hasCommand) return [complete(withFlags({ run: { command: words } }, flags))];
  const [path, ...more] = words;
  if (path === undefined || more.length > 0) {
    throw usageFailure(
      'Only one file can be submitted at a time.',
      `To run a command put -- before it: muster submit -- ${words.join(' ')}`,
    );
  }
  const { readSpecFile } = await import('../submission/spec-file.js');
  return (await readSpecFile(path)).map((job) => complete(withFlags(job, flags)));
}

function complete(job: Partial<JobSubmission>): JobSubmission {
  if (job.run === undefined) {
    throw usageFailure(
      'The job does not say what to run.',
      'Add `run: { command: ["node", "train.mjs"] }` or `run: { shell: "…" }`.',
    );
  }
  return { ...job, run: job.run };
}
