// Suite fleet: what it costs that very many agents are connected and beat, and how they come back when the control plane was
// killed.
import { Fleet } from '../fleet/fleet.mjs';
import { socketEcho } from '../limits/socket-echo.mjs';
import { atMost, figureOf, latencyOf, remarkOf } from '../measure/figure.mjs';
import { memoryOf, memoryOfTree } from '../measure/memory.mjs';
import { sleep, until } from '../measure/waiting.mjs';
import { wallClock } from '../measure/wall-clock.mjs';
import { askProbe } from '../stack/probe.mjs';

const LABELS = { bench: 'fleet' };
/** Share of the time that things get to calm down before they are measured. */
const SETTLE_SHARE = 0.25;
/** Agents pause up to 30 s between tries. */
const COMEBACK_MS = 180_000;

export async function fleet(bench) {
  const { sizes, say } = bench;
  const stack = await bench.stack({ slots: 8, withProbe: true });
  const echo = await socketEcho({ echoes: 2_000, sequential: 500, megabytes: 1 });
  await sleep(sizes.seconds * SETTLE_SHARE * 1000);
  const before = memory(stack);
  say(`connecting ${sizes.agents.toLocaleString('en-US')} agents`);
  const joining = performance.now();
  const agents = await Fleet.join({
    url: stack.url,
    key: stack.workerKey,
    count: sizes.agents,
    slots: 2,
    works: false,
    name: 'fleet',
    labels: [LABELS],
    retry: sizes.retry,
  });
  try {
    const joined = { seconds: (performance.now() - joining) / 1000, record: await agents.take() };
    say('beating');
    const beats = await beating(stack, agents, sizes);
    const after = memory(stack);
    say('offers');
    const offers = await offerLatency(stack, agents, sizes);
    say('killing the control plane');
    const comeback = await comingBack(stack, agents, sizes);
    return {
      sections: [
        {
          title: `${sizes.agents.toLocaleString('en-US')} connected agents, each beating with a sample`,
          figures: beatFigures(beats, echo, sizes),
        },
        { title: 'Memory', figures: memoryFigures(before, after, sizes) },
        {
          title: 'Jobs while they are all connected',
          figures: [latencyOf({ name: 'submit to the offer at an agent', values: offers })],
        },
        { title: 'Connecting', figures: connectFigures(joined, comeback, sizes) },
      ],
      details: { beats: { ...beats, beatMs: undefined }, comeback, errors: joined.record.errors, before, after },
    };
  } finally {
    await agents.leave();
  }
}

function memory(stack) {
  const { controlPlane, postgres } = stack.pids();
  return { controlPlane: memoryOf(controlPlane), postgres: memoryOfTree(postgres) };
}

async function beating(stack, agents, { seconds }) {
  await sleep(seconds * SETTLE_SHARE * 1000);
  await agents.take();
  const { controlPlane } = stack.pids();
  await askProbe(stack.probeFolder, controlPlane, 'begin');
  const began = performance.now();
  const { result, cpu } = await stack.cpu(
    ({ beatMs }) => Math.max(1, beatMs.length),
    async () => {
      await sleep(seconds * 1000);
      return agents.take();
    },
  );
  const elapsed = (performance.now() - began) / 1000;
  const loop = await askProbe(stack.probeFolder, controlPlane, 'end');
  return { ...result, elapsed, cpu, loop, synced: await agents.syncedCount() };
}

/** One job at a time for a label that all of them have; they take no offers, so each goes to somebody and is cancelled. */
async function offerLatency(stack, agents, { offers }) {
  const wallNow = wallClock();
  const times = [];
  await agents.take();
  for (let index = 0; index < offers; index++) {
    const submittedAt = wallNow();
    const { id } = await stack.api.post('/jobs', {
      name: `offered-${index}`,
      run: { command: ['/bin/true'] },
      needs: { labels: LABELS },
    });
    const record = await until(
      'an offer',
      async () => {
        const taken = await agents.take();
        return taken.offerAt.length > 0 && taken;
      },
      { everyMs: 25, timeoutMs: 60_000 },
    );
    times.push(Math.min(...record.offerAt) - submittedAt);
    await stack.api.post(`/jobs/${id}/cancel`, { force: true });
  }
  return times;
}

/** Killed, not stopped: no agent is told. The stack starts it again by itself. */
async function comingBack(stack, agents, { agents: count }) {
  await agents.take();
  const { controlPlane } = stack.pids();
  const wallNow = wallClock();
  const killedAt = wallNow();
  process.kill(controlPlane, 'SIGKILL');
  await until(
    'the control plane to be back',
    async () => {
      try {
        return stack.pids().controlPlane !== controlPlane && (await stack.api.raw('GET', '/meta')).status === 200;
      } catch {
        return false;
      }
    },
    { everyMs: 20, timeoutMs: 120_000 },
  );
  const readyAt = wallNow();
  // Those who are not back by then are told as a figure: the rest of the report is worth having.
  await until('all agents to be back', async () => (await agents.syncedCount()) === count, {
    everyMs: 50,
    timeoutMs: COMEBACK_MS,
  }).catch(() => undefined);
  const synced = await agents.syncedCount();
  const { helloAt, helloMs, errors } = await agents.take();
  const sinceReady = helloAt.map((at) => at - readyAt);
  return {
    readyMs: readyAt - killedAt,
    allMs: Math.max(...helloAt) - killedAt,
    sinceReadyMs: sinceReady,
    helloMs,
    errors,
    synced,
  };
}

function beatFigures({ beatMs, elapsed, cpu, loop, synced, errors }, echo, { agents }) {
  const rate = beatMs.length / elapsed;
  const percent = (part) => (cpu.parts[part] * beatMs.length) / (elapsed * 10);
  const lost = Object.entries(errors)
    .map(([code, count]) => `${count} x ${code}`)
    .join(', ');
  return [
    figureOf({
      name: 'beats acknowledged per second',
      unit: '/s',
      values: [rate],
      note: `${synced} of ${agents} connected${lost && `; ${lost}`}`,
    }),
    latencyOf({
      name: 'beat acknowledged',
      values: beatMs,
      limit: { name: 'ms: bare echo', values: echo.sequentialMs },
    }),
    figureOf({ name: 'CPU of the control plane', unit: '% of a core', values: [percent('control plane')] }),
    figureOf({ name: 'CPU of PostgreSQL', unit: '% of a core', values: [percent('PostgreSQL')] }),
    figureOf({
      name: 'CPU per beat, control plane and PostgreSQL',
      unit: 'ms',
      values: [cpu.parts['control plane'] + cpu.parts.PostgreSQL],
    }),
    figureOf({
      name: 'event loop delay of the control plane, p99',
      unit: 'ms',
      values: [loop.p99],
      note: `p50 ${loop.p50.toFixed(1)}, longest ${loop.max.toFixed(0)} ms`,
    }),
  ];
}

function memoryFigures(before, after, { agents }) {
  const kib = (name, kind) => ((after[name][kind] - before[name][kind]) * 1024) / agents;
  return [
    figureOf({
      name: 'control plane, RSS per agent',
      unit: 'KiB',
      values: [kib('controlPlane', 'rssMb')],
      aim: atMost(60, 'KiB'),
      note: `${before.controlPlane.rssMb.toFixed(0)} → ${after.controlPlane.rssMb.toFixed(0)} MiB`,
    }),
    figureOf({
      name: 'PostgreSQL, PSS of all its processes',
      unit: 'MiB',
      values: [after.postgres.pssMb],
      note: `before ${before.postgres.pssMb.toFixed(0)} MiB`,
    }),
  ];
}

function connectFigures(joined, { readyMs, allMs, sinceReadyMs, helloMs, errors, synced }, { agents }) {
  const lost = Object.entries(errors)
    .map(([code, count]) => `${count} x ${code}`)
    .join(', ');
  return [
    figureOf({
      name: `first contact of ${agents} agents, 50 at a time a process`,
      unit: 's',
      values: [joined.seconds],
    }),
    latencyOf({ name: 'hello answered, first contact', values: joined.record.helloMs }),
    figureOf({ name: 'control plane killed: ready again after', unit: 's', values: [readyMs / 1000] }),
    figureOf({
      name: 'agents that are back',
      unit: '',
      values: [synced],
      aim: { text: `all ${agents}`, isReached: ({ value }) => value === agents },
    }),
    figureOf({
      name: 'the last agent is back after',
      unit: 's',
      values: [allMs / 1000],
      note: 'agents pause 0.1 to 30 s between tries, growing',
    }),
    latencyOf({ name: 'agents greeted, counted from ready', values: sinceReadyMs }),
    latencyOf({ name: 'hello answered, coming back', values: helloMs }),
    remarkOf('seen while it was away', lost),
  ];
}
