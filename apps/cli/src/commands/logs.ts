import { LOG_STREAMS, type JobView, type LogStream } from '@muster/protocol';
import { isFinal, type FollowOptions } from '@muster/client';
import { Option } from 'commander';
import type { Declare } from '../command.js';
import { EXIT, exitCodeOfJob } from '../exit-codes.js';
import { openSink, type Sink } from '../follow/sink.js';
import { segmentsOf, tailOf } from '../follow/stored-log.js';
import { resolveJob } from '../job-reference.js';
import { size } from '../render/text.js';
import type { Session } from '../session.js';
import { toCount, toPattern } from '../submission/units.js';

interface LogsFlags {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly attempt?: number;
  readonly stream?: LogStream;
  readonly grep?: RegExp;
  readonly output?: string;
  readonly raw?: boolean;
  readonly exitStatus?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('logs')
    .summary('Print what a job printed.')
    .description(
      'Print what a job printed: to a pipe or file the exact bytes, to a terminal without escapes that are not colours.',
    )
    .argument('<job>', 'Id, beginning of an id, name, or @last.')
    .option('-f, --follow', 'History, then live until the job ends. Ctrl-C detaches.')
    .option('--tail <n>', 'Only the last n lines.', toCount)
    .option('--attempt <n>', 'Of this attempt; the newest unless given.', toCount)
    .addOption(new Option('--stream <name>', 'Only this stream.').choices(LOG_STREAMS))
    .option('--grep <pattern>', 'Only lines that match this regular expression.', toPattern)
    .option('-o, --output <file>', 'Write to a file.')
    .option('--raw', 'Every byte, also to a terminal.')
    .option('--exit-status', 'With -f: end as the job did (1 failed, 8 cancelled or lost).');
  bind(command, logs);
};

async function logs(session: Session, flags: LogsFlags, reference: string): Promise<number> {
  const job = await resolveJob(session, reference);
  if (flags.follow === true) return follow(session, job, flags);
  const streams = streamsOf(job, flags);
  if (session.output.isJson) {
    for (const stream of streams) await printSegments(session, job, flags, stream);
    return EXIT.ok;
  }
  if (job.attemptCount === 0) {
    session.output.note(
      isFinal(job.status)
        ? `Nothing was printed: ${job.id} was ${job.status} before it ran.`
        : `Nothing was printed yet: ${job.id} is ${job.status}. Follow it: muster logs -f ${job.id}`,
    );
    return EXIT.ok;
  }
  const sink = await openSink(session.output, flags);
  for (const stream of streams) await print(session, job, flags, stream, sink);
  await sink.end();
  return EXIT.ok;
}

function streamsOf(job: JobView, flags: LogsFlags): readonly LogStream[] {
  if (flags.stream !== undefined) return [flags.stream];
  return job.spec.logs.separate ? ['stdout', 'stderr'] : ['output'];
}

async function print(session: Session, job: JobView, flags: LogsFlags, stream: LogStream, sink: Sink): Promise<void> {
  const muster = await session.muster();
  const { signal, output } = session;
  const { attempt, tail } = flags;
  if (tail !== undefined) {
    for await (const { bytes, length } of segmentsOf(muster, { jobId: job.id, attempt, stream, signal }, tail)) {
      if (bytes !== null) await sink.write(bytes, stream);
      else output.note(`muster: ${size(length)} of the log were not kept here.`);
    }
    return;
  }
  const download = await muster.logs.open(job.id, { attempt, stream, signal });
  for await (const bytes of download.bytes) await sink.write(bytes, stream);
  if (isFinal(job.status) && download.state !== 'complete') {
    output.note(`muster: this log is not complete (${download.state}): bytes that the worker printed have not come.`);
  }
}

async function printSegments(session: Session, job: JobView, flags: LogsFlags, stream: LogStream): Promise<void> {
  if (job.attemptCount === 0) return;
  const muster = await session.muster();
  const { signal, output } = session;
  const place = { jobId: job.id, attempt: flags.attempt, stream, signal };
  for await (const { bytes, ...segment } of segmentsOf(muster, place, flags.tail)) {
    const base64 = bytes === null ? {} : { base64: Buffer.from(bytes).toString('base64') };
    await output.element({ type: bytes === null ? 'gap' : 'log', stream, ...segment, ...base64 });
  }
}

async function follow(session: Session, job: JobView, flags: LogsFlags): Promise<number> {
  const { followJob, reportEnd } = await import('../follow/follow-job.js');
  const { attempt, stream, grep, output, raw } = flags;
  const after = await placeOfTail(session, job, flags);
  const ended = await followJob(session, job.id, { attempt, stream, grep, output, raw, after });
  await reportEnd(session, ended, {});
  return flags.exitStatus === true ? exitCodeOfJob(ended) : EXIT.ok;
}

/** Where a follower of the last lines begins: in each stream of the newest attempt. */
async function placeOfTail(session: Session, job: JobView, flags: LogsFlags): Promise<FollowOptions['after']> {
  const { tail, attempt } = flags;
  if (tail === undefined || job.attemptCount === 0) return undefined;
  const muster = await session.muster();
  const { signal } = session;
  let attemptId = '';
  const offsets: Partial<Record<LogStream, number>> = {};
  for (const stream of streamsOf(job, flags)) {
    const begin = await tailOf(muster, { jobId: job.id, attempt, stream, signal }, tail);
    attemptId = begin.attemptId;
    offsets[stream] = begin.offset;
  }
  return { attemptId, offsets };
}
