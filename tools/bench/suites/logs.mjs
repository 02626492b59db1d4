// Suite logs: how fast a job's output is stored, durably and proven complete; how live a tail is; what others feel meanwhile;
// how much room a log takes, and what reading a large one costs.
import pg from 'pg';
import { withScratchDatabase } from '../limits/database.mjs';
import { gzipRate, gzipShare } from '../limits/gzip.mjs';
import { socketEcho } from '../limits/socket-echo.mjs';
import { linesOf } from '../logs/lines.mjs';
import { databaseWork } from '../measure/database-work.mjs';
import { atLeastShare, atMost, figureOf, latencyOf, remarkOf } from '../measure/figure.mjs';
import { memoryOf } from '../measure/memory.mjs';
import { profiled } from '../profile/profiles.mjs';
import { sleep } from '../measure/waiting.mjs';
import { watchLoops } from '../stack/probe.mjs';
import { largeLog } from './logs/large-log.mjs';
import { liveTail } from './logs/live-tail.mjs';
import { printAndProve, verifyDownload } from './logs/printing.mjs';

const STATISTICS_MS = 1_100;
/** Half of what srun streams, in shares of what the same inserts reached when srun was measured: 50 of 244 MB/s. */
const HALF_OF_SRUN = 0.2;
const RECORD = { buildbot: 9.7, srun: 100 };

export async function logs(bench) {
  const { sizes, say } = bench;
  const { lines, lineBytes, rounds, jobsAtOnce, linesEach } = sizes;
  const stack = await bench.stack({ slots: jobsAtOnce + 2, withProbe: true, isProfiled: bench.isProfiled });
  say('limits of this machine');
  const limits = await logLimits(stack, sizes);
  await printAndProve(stack, [{ lines: Math.min(lines, 20_000), lineBytes }]);
  say('one job');
  const one = await profiled(bench, stack, 'one job printing', () => oneJob(stack, { rounds, lines, lineBytes }));
  say(`${jobsAtOnce} jobs at once`);
  const many = await watchLoops(stack, () =>
    measured(
      stack,
      Array.from({ length: jobsAtOnce }, (_, index) => ({ lines: linesEach, lineBytes, seed: index + 1 })),
    ),
  );
  say('live tail, idle');
  const idle = await profiled(bench, stack, 'live tail', () => watchLoops(stack, () => liveTail(stack, sizes)));
  say('live tail under load');
  const loaded = await tailUnderLoad(stack, sizes);
  say('a large log');
  const large = await largeLog(stack, sizes);
  return {
    sections: [
      {
        title: `One job prints ${lines.toLocaleString('en-US')} lines of ${lineBytes} bytes: from its first byte until the stored log is proven complete`,
        figures: ingestFigures(one, limits),
      },
      {
        title: `${jobsAtOnce} jobs print at once, ${linesEach.toLocaleString('en-US')} lines each`,
        figures: manyFigures(many.result, limits),
      },
      {
        title: 'Live tail: from a line printed to the reader who follows has it, stored before',
        figures: tailFigures(idle.result, loaded.times),
      },
      {
        title: 'How late timers are meanwhile (event loop delay)',
        figures: loopFigures({
          'idle with one tail': idle.loops,
          'one job printing': one.loops,
          [`${jobsAtOnce} jobs printing`]: many.loops,
        }),
      },
      { title: 'Room', figures: roomFigures(one, limits) },
      { title: `A log of ${Math.round(large.printed.bytes / 1e6)} MB`, figures: largeFigures(large) },
      { title: 'This machine', figures: machineFigures(limits) },
    ],
    details: { one, many, large, limits },
  };
}

async function logLimits(stack, { lineBytes, gzipBytes, copyLines, lines }) {
  const text = textOf(Math.min(lines, Math.ceil(gzipBytes / lineBytes)), lineBytes);
  const { rate, pieces } = await gzipRate(text);
  const echo = await socketEcho({ echoes: 200, sequential: 10, megabytes: gzipBytes / 1e6 });
  return withScratchDatabase(stack.databaseUrl, async (database) => ({
    gzipRate: rate,
    gzipShare: gzipShare(text),
    gzipPieceShare: pieces.reduce((sum, { length }) => sum + length, 0) / text.length,
    socketRate: echo.bytesRate,
    chunkRate: await database.chunkRate(pieces, text.length),
    copyRate: await database.copyRate(textOf(copyLines, lineBytes).toString().trimEnd().split('\n')),
  }));
}

function textOf(count, lineBytes) {
  return Buffer.concat(Array.from(linesOf({ count, lineBytes }), (block) => Buffer.from(block)));
}

async function measured(stack, jobs) {
  const before = await databaseWork(stack.databaseUrl);
  const { result, cpu } = await stack.cpu(
    ({ bytes }) => bytes / 1e6,
    () => printAndProve(stack, jobs),
  );
  // Sessions tell their transactions up to a second late.
  await sleep(STATISTICS_MS);
  const after = await databaseWork(stack.databaseUrl);
  const megabytes = result.bytes / 1e6;
  const database = {
    commitsPerMb: (after.commits - before.commits) / megabytes,
    walKibPerMb: (after.walKib - before.walKib) / megabytes,
  };
  return { ...result, cpu, database };
}

async function oneJob(stack, { rounds, lines, lineBytes }) {
  const runs = [];
  let loops;
  const roomBefore = await roomOf(stack.databaseUrl);
  const memoryBefore = memoryOf(stack.pids().controlPlane);
  for (let round = 0; round < rounds; round++) {
    const run = await watchLoops(stack, () => measured(stack, [{ lines, lineBytes }]));
    runs.push(run.result);
    ({ loops } = run);
  }
  const memoryAfter = memoryOf(stack.pids().controlPlane);
  const stored = ((await roomOf(stack.databaseUrl)) - roomBefore) / rounds;
  const downloads = [];
  for (const { ids } of runs) downloads.push(await verifyDownload(stack, ids[0], { lines, lineBytes }));
  return { runs, loops, stored, downloads, memoryBefore, memoryAfter };
}

async function roomOf(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      `select sum(pg_total_relation_size(relid)) as bytes from pg_partition_tree('log_chunk')`,
    );
    return Number(rows[0].bytes);
  } finally {
    await client.end();
  }
}

/** A tail is followed while another job prints as fast as it can, for as long as the tail lasts. */
async function tailUnderLoad(stack, sizes) {
  let isOver = false;
  const load = (async () => {
    while (!isOver) await printAndProve(stack, [{ lines: sizes.lines, lineBytes: sizes.lineBytes }]);
  })();
  await sleep(sizes.tailPauseMs * 5);
  const times = await liveTail(stack, sizes);
  isOver = true;
  await load;
  return { times };
}

function ingestFigures({ runs, downloads }, limits) {
  return [
    figureOf({
      name: 'stored and proven',
      unit: 'MB/s',
      values: runs.map(({ perSecond }) => perSecond),
      limit: { name: 'MB/s of gzip chunks, bare inserts', values: [limits.chunkRate] },
      aim: atLeastShare(HALF_OF_SRUN),
      note: `peers: srun streams ${RECORD.srun}, Buildbot stores ${RECORD.buildbot}`,
    }),
    figureOf({
      name: 'the job itself had printed after',
      unit: 's',
      values: runs.map(({ printSeconds }) => printSeconds),
    }),
    figureOf({ name: 'CPU per MB, everything', unit: 'ms', values: runs.map(({ cpu }) => cpu.total) }),
    ...Object.keys(runs[0].cpu.parts).map((part) =>
      figureOf({ name: `  of it ${part}`, unit: 'ms', values: runs.map(({ cpu }) => cpu.parts[part]) }),
    ),
    figureOf({ name: 'transactions per MB', unit: '', values: runs.map(({ database }) => database.commitsPerMb) }),
    figureOf({ name: 'write-ahead log per MB', unit: 'KiB', values: runs.map(({ database }) => database.walKibPerMb) }),
    figureOf({ name: 'whole download, SHA-256 equal', unit: 'MB/s', values: downloads }),
  ];
}

function manyFigures({ perSecond, cpu, bytes, database }, limits) {
  return [
    figureOf({
      name: 'stored and proven, all together',
      unit: 'MB/s',
      values: [perSecond],
      limit: { name: 'MB/s of gzip chunks, bare inserts', values: [limits.chunkRate] },
      note: `${Math.round(bytes / 1e6)} MB, starting the jobs included`,
    }),
    figureOf({ name: 'CPU per MB, everything', unit: 'ms', values: [cpu.total] }),
    figureOf({ name: 'transactions per MB', unit: '', values: [database.commitsPerMb] }),
  ];
}

function tailFigures(idle, loaded) {
  const aim = { text: 'p50 <= 20, p99 <= 100 ms', isReached: ({ value, p99 }) => value <= 20 && p99 <= 100 };
  return [
    latencyOf({ name: 'idle', values: idle, aim, note: 'peers: srun 0.33 ms, Buildbot 2.1 s' }),
    latencyOf({ name: 'while another job prints all it can', values: loaded, aim }),
  ];
}

function loopFigures(phases) {
  return Object.entries(phases).flatMap(([phase, loops]) =>
    Object.entries(loops).map(([service, { p50, p99, max, utilization }]) =>
      figureOf({
        name: `${service}, ${phase}: p99`,
        unit: 'ms',
        values: [p99],
        note: `p50 ${p50.toFixed(1)}, longest ${max.toFixed(0)} ms, loop busy ${(utilization * 100).toFixed(0)} %`,
      }),
    ),
  );
}

function roomFigures({ stored, runs, memoryBefore, memoryAfter }, limits) {
  return [
    figureOf({
      name: 'stored size, share of the raw bytes',
      unit: '',
      values: [stored / runs[0].bytes],
      limit: { name: 'gzip of the whole', values: [limits.gzipShare] },
      note: `pieces of 64 KiB at level 1: ${limits.gzipPieceShare.toFixed(3)}`,
    }),
    figureOf({
      name: 'RSS of the control plane after these rounds',
      unit: 'MB',
      values: [memoryAfter.rssMb],
      note: `before ${memoryBefore.rssMb.toFixed(0)} MB`,
    }),
  ];
}

function largeFigures({ printed, tailMs, middleMs, search, rssBeforeMb, rssHighestMb }) {
  return [
    figureOf({ name: 'stored and proven', unit: 'MB/s', values: [printed.perSecond] }),
    latencyOf({ name: 'the last 200 lines', values: tailMs }),
    latencyOf({ name: '200 lines from the middle', values: middleMs }),
    figureOf({
      name: 'search of the whole for a text near its end',
      unit: 'MB/s',
      values: [search.bytes / 1e6 / search.seconds],
      note: `${search.seconds.toFixed(1)} s in ${search.answers} answers`,
    }),
    figureOf({
      name: 'RSS of the control plane, highest meanwhile',
      unit: 'MB',
      values: [rssHighestMb],
      aim: atMost(Math.ceil(rssBeforeMb + 150), 'MB'),
      note: `before ${rssBeforeMb.toFixed(0)} MB; the aim is 150 MB above`,
    }),
  ];
}

function machineFigures({ gzipRate: rate, chunkRate, copyRate, socketRate }) {
  return [
    figureOf({ name: 'gzip level 1, 64 KiB pieces, thread pool', unit: 'MB/s', values: [rate] }),
    figureOf({ name: 'bare Socket.IO, 64 KiB pieces, 16 on their way', unit: 'MB/s', values: [socketRate] }),
    figureOf({ name: 'gzip chunks inserted, 16 a commit', unit: 'MB/s', values: [chunkRate] }),
    figureOf({ name: 'COPY of lines, a row each, 10,000 a commit', unit: 'MB/s', values: [copyRate] }),
    remarkOf('raw MB throughout', 'rates count the bytes as printed, before compression'),
  ];
}
