import { FINAL_JOB_STATUSES, REASON_TEXTS, type JobView, type LogStream } from '@muster/protocol';
import type { FollowOptions, LogEvent } from '@muster/client';
import { EXIT, exitCodeOfJob, propagatedExitCode } from '../exit-codes.js';
import { Interrupted } from '../interrupt.js';
import { endText } from '../render/job.js';
import { plain, size } from '../render/text.js';
import type { Session } from '../session.js';
import { watchQueue } from './queue-watch.js';
import { openSink, type Sink, type SinkOptions } from './sink.js';

export interface FollowJobOptions extends SinkOptions, Pick<FollowOptions, 'attempt' | 'after'> {
  readonly stream?: LogStream;
  /** No words of ours on stderr, only what the job printed. */
  readonly quiet?: boolean;
}

/**
 * Shows a job's log and changes of status until it is final. Bytes go where the sink says, everything else to stderr; with
 * `--json` every event is a line on stdout. Ctrl-C detaches: it ends the viewer and not the job.
 *
 * @returns the job as it ended
 * @throws {Interrupted} after saying how to come back
 */
export async function followJob(session: Session, jobId: string, options: FollowJobOptions): Promise<JobView> {
  const muster = await session.muster();
  const { signal, output } = session;
  const sink = await openSink(output, options);
  const waiting = new AbortController();
  const say = sayer(session, options);
  if (!output.isJson) void watchQueue(muster, jobId, say, AbortSignal.any([signal, waiting.signal]));
  try {
    const events = muster.logs.follow(jobId, {
      signal,
      attempt: options.attempt,
      stream: options.stream,
      after: options.after,
      onInterruption: (error, pauseMs) =>
        output.note(`muster: ${error.detail} Trying again in ${Math.ceil(pauseMs / 1_000)} s.`),
    });
    for await (const event of events) {
      if (event.type === 'attempt') waiting.abort();
      if (output.isJson) await output.element(toElement(event));
      else await show(event, sink, say);
    }
    await sink.end();
    return await muster.jobs.get(jobId, { signal });
  } catch (error) {
    await sink.end();
    if (error instanceof Interrupted) output.note(`Detached; the job goes on. Come back: muster logs -f ${jobId}`);
    throw error;
  } finally {
    waiting.abort();
  }
}

/** Words of ours go to stderr, dim, so that they are not taken for the job's. */
function sayer({ output }: Session, options: FollowJobOptions): (text: string) => void {
  return (text) => {
    if (options.quiet !== true) output.note(output.noteColours.dim(`muster: ${plain(text)}`));
  };
}

export interface EndOptions {
  /** End with the job's own code. */
  readonly propagateExit?: boolean;
  /** When false, a job that failed is no failure of the command. */
  readonly exitStatus?: boolean;
  /** Say nothing. */
  readonly quiet?: boolean;
}

/** Says how the job ended, and gives the exit code of the command that waited for it. */
export async function reportEnd(session: Session, job: JobView, options: EndOptions): Promise<number> {
  const { output } = session;
  if (output.isJson) await output.element({ type: 'job', job });
  else if (options.quiet !== true) {
    const colours = output.noteColours;
    const mark = job.status === 'completed' ? colours.green('✔') : colours.red('✘');
    output.note(`${mark} ${job.id} ${endText(job, Date.now())}`);
    if (job.status === 'failed') output.note(`  Next: muster show ${job.id}`);
  }
  if (options.propagateExit === true) return propagatedExitCode(job);
  return options.exitStatus === false ? EXIT.ok : exitCodeOfJob(job);
}

async function show(event: LogEvent, sink: Sink, say: (text: string) => void): Promise<void> {
  switch (event.type) {
    case 'log':
      await sink.write(event.bytes, event.stream);
      return;
    case 'gap':
      say(`${size(event.length)} of the log were not kept here.`);
      return;
    case 'attempt':
      say(event.number === 1 ? `runs on ${event.workerName}` : `attempt ${event.number}, on ${event.workerName}`);
      return;
    case 'status':
      if (isWorthSaying(event))
        say([event.status, sentenceOf(event.reason), event.reasonDetail ?? ''].join(' · ').replace(/ · $/, ''));
      return;
    case 'end':
      if (event.logState === 'removed') say('its log was kept long enough and is gone.');
      else if (event.logState !== 'complete') say(`its log is ${event.logState}.`);
      return;
  }
}

/** How a job ends is said at the end, and that it runs is seen; what is left is what makes it wait. */
function isWorthSaying({ status, reason }: Extract<LogEvent, { type: 'status' }>): boolean {
  if ((FINAL_JOB_STATUSES as readonly string[]).includes(status) || status === 'assigned') return false;
  return status !== 'running' || !['starting', 'running'].includes(reason);
}

function sentenceOf(reason: string): string {
  return Object.entries(REASON_TEXTS).find(([known]) => known === reason)?.[1].sentence ?? reason;
}

/** The event as a line for programs: bytes as base64, as they are on the wire. */
function toElement(event: LogEvent): object {
  if (event.type !== 'log') return event;
  const { bytes, ...rest } = event;
  return { ...rest, base64: Buffer.from(bytes).toString('base64') };
}
