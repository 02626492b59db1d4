// Suite core: what one short job costs, how fast jobs are taken in, and how soon an idle Muster begins and shows one.
import { atLeastShare, atMost, figureOf, latencyOf } from '../measure/figure.mjs';
import { median } from '../measure/statistics.mjs';
import { nodeSpawnRate, prepareRawSpawn } from '../limits/spawn.mjs';
import { withScratchDatabase } from '../limits/database.mjs';
import { profiled } from '../profile/profiles.mjs';
import { socketEcho } from '../limits/socket-echo.mjs';
import { controlPlaneOnly } from './core/control-plane-only.mjs';
import { latencies } from './core/latencies.mjs';
import { shortJobs } from './core/short-jobs.mjs';
import { submitRates } from './core/submit-rates.mjs';

/** What the best peers reached on 2 cores; an absolute figure of another day, so an orientation, not an aim. */
const CELERY_FSYNC_PER_SECOND = 555;
/** Aims that are rates, in shares of what the same machine reached when they were set: 10,976 of 70,000 and 2,000 of 9,016 a second. */
const GRAPHILE_BATCHED = 0.16;
const TWO_THOUSAND = 0.22;

export async function core(bench) {
  const { sizes } = bench;
  const stack = await bench.stack({ slots: 8, withProbe: bench.isProfiled, isProfiled: bench.isProfiled });
  const raw = prepareRawSpawn();
  try {
    const limits = await withScratchDatabase(stack.databaseUrl, async (database) => ({
      insertsPerSecond: await database.insertRate(sizes.inserts),
      batchedRowsPerSecond: await database.batchedUpdateRate(sizes.batchedCommits),
    }));
    bench.say('socket echo');
    const echo = await socketEcho({
      echoes: sizes.echoes,
      sequential: sizes.sequentialEchoes,
      megabytes: sizes.echoMegabytes,
    });
    bench.say('latency on an idle stack');
    const idle = await latencies(stack, sizes);
    bench.say('short jobs through one agent');
    const one = await profiled(bench, stack, 'short jobs', () => shortJobs(stack, raw, sizes));
    const nodeSpawn = await nodeSpawnRate(sizes.nodeSpawns);
    bench.say('what only the control plane does');
    const noOp = await profiled(bench, stack, 'jobs without processes', () => controlPlaneOnly(stack, sizes));
    bench.say('submit rates');
    const submit = await profiled(bench, stack, 'submitting', () => submitRates(stack, sizes));
    const agents = 1 + sizes.moreAgents;
    bench.say(`short jobs through ${agents} agents`);
    await Promise.all(Array.from({ length: sizes.moreAgents }, (_, index) => stack.addAgent(`agent-${index + 2}`)));
    const several = await shortJobs(stack, raw, sizes);
    return {
      sections: [
        {
          title: `Short jobs (/bin/true), submission included, ${stack.worker.slots} slots an agent, containment ${stack.worker.containment}`,
          figures: [
            ...throughput('one agent', one, raw, nodeSpawn),
            ...throughput(`${agents} agents`, several, raw, nodeSpawn),
          ],
        },
        {
          title: 'The control plane alone: agents that start and end every offer at once',
          figures: controlPlaneFigures(noOp, limits),
        },
        { title: 'Taking jobs in', figures: submitFigures(submit, limits) },
        { title: 'One job on an idle stack', figures: latencyFigures(idle) },
        { title: 'This machine', figures: machineFigures(limits, echo, idle) },
      ],
      details: { one, several, noOp, submit, limits },
    };
  } finally {
    raw.dispose();
  }
}

function throughput(agents, rounds, raw, nodeSpawn) {
  const of = (name) => rounds.map((round) => round[name]);
  const rawLimit = { name: raw.how, values: of('rawPerSecond') };
  const parts = Object.keys(rounds[0].cpu.parts);
  return [
    figureOf({
      name: `jobs per second, ${agents}`,
      unit: '/s',
      values: of('jobsPerSecond'),
      limit: rawLimit,
      aim: atLeastShare(0.3),
      note: `peers: Celery at equal durability ${CELERY_FSYNC_PER_SECOND}`,
    }),
    figureOf({
      name: `the same against Node, ${agents}`,
      unit: '/s',
      values: of('jobsPerSecond'),
      limit: { name: 'Node spawns/s with pipes', values: [nodeSpawn] },
      aim: atLeastShare(1),
    }),
    figureOf({
      name: `CPU per job, everything, ${agents}`,
      unit: 'ms',
      values: rounds.map(({ cpu }) => cpu.total),
      aim: atMost(3.5, 'ms'),
    }),
    ...parts.map((part) =>
      figureOf({ name: `  of it ${part}`, unit: 'ms', values: rounds.map(({ cpu }) => cpu.parts[part]) }),
    ),
    figureOf({
      name: `transactions per job, ${agents}`,
      unit: '',
      values: of('commitsPerJob'),
      note: "all that the database committed meanwhile, the bench's own looks aside",
    }),
    figureOf({ name: `write-ahead log per job, ${agents}`, unit: 'KiB', values: of('walKibPerJob') }),
  ];
}

function controlPlaneFigures(rounds, limits) {
  return [
    figureOf({
      name: 'jobs per second, queued before',
      unit: '/s',
      values: rounds.map(({ perSecond }) => perSecond),
      limit: { name: 'rows/s updated, 100 a commit', values: [limits.batchedRowsPerSecond] },
      aim: atLeastShare(GRAPHILE_BATCHED),
    }),
    figureOf({
      name: 'CPU per job, control plane',
      unit: 'ms',
      values: rounds.map(({ cpu }) => cpu.parts['control plane']),
    }),
    figureOf({ name: 'CPU per job, PostgreSQL', unit: 'ms', values: rounds.map(({ cpu }) => cpu.parts.PostgreSQL) }),
  ];
}

function submitFigures({ single, batch }, limits) {
  const inserts = { name: 'single-row INSERT/s, 8 clients', values: [limits.insertsPerSecond] };
  const cpuNote = (rounds) =>
    `CPU ms per job: control plane ${median(rounds.map(({ cpu }) => cpu.parts['control plane'])).toFixed(2)}, PostgreSQL ${median(rounds.map(({ cpu }) => cpu.parts.PostgreSQL)).toFixed(2)}`;
  return [
    figureOf({
      name: 'one by one, 8 callers',
      unit: '/s',
      values: single.map(({ perSecond }) => perSecond),
      limit: inserts,
      aim: atLeastShare(0.2),
      note: cpuNote(single),
    }),
    figureOf({
      name: 'batches of 100 distinct jobs',
      unit: '/s',
      values: batch.map(({ perSecond }) => perSecond),
      limit: inserts,
      aim: atLeastShare(TWO_THOUSAND),
      note: cpuNote(batch),
    }),
  ];
}

function latencyFigures({ commitMs, toStart, toEnd }) {
  const limit = { name: 'ms: one single-row commit', values: [median(commitMs)] };
  const within = (commits, extraMs) => {
    const most = commits * median(commitMs) + extraMs;
    return {
      text: `<= ${commits} commits + ${extraMs} ms = ${most.toFixed(1)}`,
      isReached: ({ value }) => value <= most,
    };
  };
  return [
    latencyOf({ name: 'submit to the process running', values: toStart, limit, aim: within(3, 3) }),
    latencyOf({ name: 'submit to completion seen', values: toEnd, limit, aim: within(4, 4) }),
    latencyOf({ name: 'single-row durable commit', values: commitMs }),
  ];
}

function machineFigures(limits, echo, { commitMs }) {
  return [
    figureOf({ name: 'single-row commits per second, 1 client', unit: '/s', values: [1_000 / median(commitMs)] }),
    figureOf({ name: 'single-row INSERTs per second, 8 clients', unit: '/s', values: [limits.insertsPerSecond] }),
    figureOf({ name: 'rows updated per second, 100 a commit', unit: '/s', values: [limits.batchedRowsPerSecond] }),
    figureOf({
      name: 'bare Socket.IO echoes per second, 200 on their way',
      unit: '/s',
      values: [echo.echoesPerSecond],
    }),
    latencyOf({ name: 'bare Socket.IO echo, one at a time', values: echo.sequentialMs }),
    figureOf({ name: 'bare Socket.IO, 64 KiB pieces, 16 on their way', unit: 'MB/s', values: [echo.bytesRate] }),
  ];
}
