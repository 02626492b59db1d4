import { LOG_STREAMS, type JobView, type LogStream } from '@muster/protocol';
import { isFinal } from '@muster/client';
import { Option } from 'commander';
import type { Declare } from '../command.js';
import { EXIT, exitCodeOfJob } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { openSink, type Sink } from '../follow/sink.js';
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
    session.output.note(`Nothing was printed yet: ${job.id} is ${job.status}. Follow it: muster logs -f ${job.id}`);
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
  const { signal } = session;
  const { attempt } = flags;
  if (flags.tail === undefined) {
    const download = await muster.logs.open(job.id, { attempt, stream, signal });
    for await (const bytes of download.bytes) await sink.write(bytes, stream);
    if (isFinal(job.status) && download.state !== 'complete') {
      session.output.note(
        `muster: this log is not complete (${download.state}): bytes that the worker printed have not come.`,
      );
    }
    return;
  }
  for await (const { bytes, length } of segmentsFrom(session, job.id, flags, stream)) {
    if (bytes !== null) await sink.write(bytes, stream);
    else session.output.note(`muster: ${size(length)} of the log were not kept here.`);
  }
}

async function printSegments(session: Session, job: JobView, flags: LogsFlags, stream: LogStream): Promise<void> {
  if (job.attemptCount === 0) return;
  for await (const { bytes, ...segment } of segmentsFrom(session, job.id, flags, stream)) {
    const base64 = bytes === null ? {} : { base64: Buffer.from(bytes).toString('base64') };
    await session.output.element({ type: bytes === null ? 'gap' : 'log', stream, ...segment, ...base64 });
  }
}

/** From the first line wanted to what is stored now. */
async function* segmentsFrom(session: Session, jobId: string, flags: LogsFlags, stream: LogStream) {
  const muster = await session.muster();
  const { signal } = session;
  const { attempt } = flags;
  const first = await muster.logs.read(jobId, { attempt, stream, limitBytes: 1, signal });
  let at =
    flags.tail === undefined
      ? 0
      : await tailOffset(session, jobId, flags, stream, first.log.lineCount, first.log.storedLength);
  while (at < first.log.storedLength) {
    const page = await muster.logs.read(jobId, { attempt, stream, offset: at, limitBytes: PAGE_BYTES, signal });
    for (const segment of page.segments) yield { attemptId: page.attemptId, ...segment };
    if (page.nextOffset <= at) throw stuck(jobId, at);
    at = page.nextOffset;
  }
}

const PAGE_BYTES = 1_048_576;

/** Where the last `tail` lines begin. A last line without an end counts as one. */
async function tailOffset(
  session: Session,
  jobId: string,
  flags: LogsFlags,
  stream: LogStream,
  lineCount: number,
  storedLength: number,
): Promise<number> {
  const { tail = 0, attempt } = flags;
  if (tail === 0 || storedLength === 0) return storedLength;
  const muster = await session.muster();
  const { signal } = session;
  const last = await muster.logs.read(jobId, { attempt, stream, offset: storedLength - 1, limitBytes: 1, signal });
  const endsWithLine = last.segments.at(-1)?.bytes?.at(-1) === NEW_LINE;
  const line = lineCount - tail + (endsWithLine ? 0 : 1);
  if (line <= 0) return 0;
  const page = await muster.logs.read(jobId, { attempt, stream, line, lines: 1, limitBytes: 1, signal });
  return page.offset;
}

const NEW_LINE = 0x0a;

async function follow(session: Session, job: JobView, flags: LogsFlags): Promise<number> {
  const { followJob, reportEnd } = await import('../follow/follow-job.js');
  const { attempt, stream, grep, output, raw } = flags;
  const after = flags.tail === undefined || job.attemptCount === 0 ? undefined : await afterTail(session, job, flags);
  const { job: ended } = await followJob(session, job.id, { attempt, stream, grep, output, raw, after });
  await reportEnd(session, ended, { quiet: session.output.isJson });
  return flags.exitStatus === true ? exitCodeOfJob(ended) : EXIT.ok;
}

async function afterTail(session: Session, job: JobView, flags: LogsFlags) {
  const muster = await session.muster();
  const { signal } = session;
  const stream = flags.stream ?? streamsOf(job, flags)[0] ?? 'output';
  const { attemptId, log } = await muster.logs.read(job.id, { attempt: flags.attempt, stream, limitBytes: 1, signal });
  const offset = await tailOffset(session, job.id, flags, stream, log.lineCount, log.storedLength);
  return { attemptId, stream, offset };
}

function stuck(jobId: string, at: number): Failure {
  return new Failure({
    code: 'unexpectedAnswer',
    exitCode: EXIT.failed,
    what: `The log of ${jobId} does not go on at byte ${at}.`,
    next: `Try the whole of it: muster logs ${jobId} -o log.txt`,
  });
}
