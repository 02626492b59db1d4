// Suite fleet: what it costs that very many agents are connected, hold attempts and beat, and how they come back when the control
// plane was killed. The agents are the product's own, without processes (fleet/real-agent.mjs).
import { Fleet } from '../fleet/fleet.mjs';
import { socketEcho } from '../limits/socket-echo.mjs';
import { atMost, figureOf, latencyOf, remarkOf } from '../measure/figure.mjs';
import { memoryOf, memoryOfTree } from '../measure/memory.mjs';
import { sleep } from '../measure/waiting.mjs';
import { askProbe } from '../stack/probe.mjs';
import { comingBack } from './fleet/coming-back.mjs';
import { fateOf, holdOneEach } from './fleet/held-attempts.mjs';
import { offerLatency } from './fleet/offers.mjs';

/** That each of these agents has, and nobody else. */
const LABELS = { bench: 'fleet' };
/** Share of the time that things get to calm down before they are measured. */
const SETTLE_SHARE = 0.25;
const SETTLE_SECONDS_MAX = 15;

export async function fleet(bench) {
  const { sizes, say } = bench;
  const stack = await bench.stack({ slots: 8, withProbe: true });
  const echo = await socketEcho({ echoes: 2_000, sequential: 500, megabytes: 1 });
  await settle(sizes);
  const before = memory(stack);
  say(`connecting ${sizes.agents.toLocaleString('en-US')} agents`);
  const joining = performance.now();
  const agents = await Fleet.join({
    kind: 'real',
    url: stack.url,
    key: stack.workerKey,
    count: sizes.agents,
    slots: 2,
    name: 'fleet',
    labels: [LABELS],
    retry: sizes.retry,
  });
  try {
    const joined = { seconds: (performance.now() - joining) / 1000, record: await agents.take() };
    await settle(sizes);
    const after = memory(stack);
    say('giving each an attempt to hold');
    const held = await holdOneEach(stack, { count: sizes.agents, labels: LABELS });
    say('beating');
    const beats = { ...(await beating(stack, agents, sizes)), held: await agents.held() };
    const withAttempts = memory(stack);
    say('offers');
    const offers = await offerLatency(stack, agents, { offers: sizes.offers, labels: LABELS });
    say('killing the control plane');
    const comeback = await comingBack(stack, agents, sizes);
    await beating(stack, agents, { ...sizes, seconds: sizes.afterSeconds });
    const fate = { ...(await fateOf(stack, held.ids)), held: await agents.held() };
    return {
      sections: [
        {
          title: `${sizes.agents.toLocaleString('en-US')} connected agents, each holding an attempt and beating with a sample`,
          figures: beatFigures(beats, echo, sizes),
        },
        { title: 'Memory', figures: memoryFigures({ before, after, withAttempts }, sizes) },
        {
          title: 'Jobs while they are all connected',
          figures: [
            figureOf({ name: `${sizes.agents} jobs submitted until all run`, unit: 's', values: [held.seconds] }),
            latencyOf({ name: 'submit to the offer at an agent', values: offers.offerMs }),
            latencyOf({ name: 'submit to the end accepted', values: offers.endMs }),
          ],
        },
        { title: 'Connecting, and the control plane killed', figures: connectFigures(joined, comeback, fate, sizes) },
      ],
      details: {
        beats: { ...beats, beatMs: undefined },
        comeback,
        fate,
        errors: joined.record.errors,
        before,
        after,
        withAttempts,
      },
    };
  } finally {
    await agents.leave();
  }
}

const settle = ({ seconds }) => sleep(Math.min(SETTLE_SECONDS_MAX, seconds * SETTLE_SHARE) * 1000);

function memory(stack) {
  const { controlPlane, postgres } = stack.pids();
  return { controlPlane: memoryOf(controlPlane), postgres: memoryOfTree(postgres) };
}

async function beating(stack, agents, { seconds }) {
  await settle({ seconds });
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

function beatFigures({ beatMs, elapsed, cpu, loop, synced, held, errors }, echo, { agents }) {
  const ofAThousand = (part) => cpu.parts[part] * 1000;
  const percent = (part) => (cpu.parts[part] * beatMs.length) / (elapsed * 10);
  return [
    figureOf({
      name: 'connected agents',
      unit: '',
      values: [synced],
      aim: { text: `all ${agents}`, isReached: ({ value }) => value === agents },
      note: countsOf(errors),
    }),
    figureOf({
      name: 'attempts held',
      unit: '',
      values: [attemptsOf(held)],
      note: Object.entries(held)
        .map(([attempts, count]) => `${count} hold ${attempts}`)
        .join(', '),
    }),
    figureOf({ name: 'beats acknowledged per second', unit: '/s', values: [beatMs.length / elapsed] }),
    beatMs.length === 0 ? remarkOf('beat acknowledged', 'none came in this time') : ackFigure(beatMs, echo),
    figureOf({
      name: 'CPU per 1,000 beats, control plane and PostgreSQL',
      unit: 'ms',
      values: [ofAThousand('control plane') + ofAThousand('PostgreSQL')],
      note: `control plane ${ofAThousand('control plane').toFixed(0)}, PostgreSQL ${ofAThousand('PostgreSQL').toFixed(0)}; everything else that happens is in it`,
    }),
    figureOf({
      name: 'CPU of the control plane',
      unit: '% of a core',
      values: [percent('control plane')],
      note: `PostgreSQL ${percent('PostgreSQL').toFixed(1)}`,
    }),
    figureOf({
      name: 'event loop delay of the control plane, p99',
      unit: 'ms',
      values: [loop.p99],
      note: `p50 ${loop.p50.toFixed(1)}, longest ${loop.max.toFixed(0)} ms`,
    }),
  ];
}

const ackFigure = (values, echo) =>
  latencyOf({
    name: 'beat acknowledged',
    values,
    limit: { name: 'ms: bare echo', values: echo.sequentialMs },
    note: 'gathered for up to 50 ms',
  });

const attemptsOf = (held) => Object.entries(held).reduce((sum, [attempts, count]) => sum + Number(attempts) * count, 0);

const countsOf = (counts) =>
  Object.entries(counts)
    .map(([name, count]) => `${count} x ${name}`)
    .join(', ');

function memoryFigures({ before, after, withAttempts }, { agents }) {
  const kib = (from, to) => ((to.controlPlane.rssMb - from.controlPlane.rssMb) * 1024) / agents;
  return [
    figureOf({
      name: 'control plane, RSS per agent',
      unit: 'KiB',
      values: [kib(before, after)],
      aim: atMost(60, 'KiB'),
      note: `${before.controlPlane.rssMb.toFixed(0)} → ${after.controlPlane.rssMb.toFixed(0)} MiB`,
    }),
    figureOf({
      name: 'the same, each holding an attempt and beating',
      unit: 'KiB',
      values: [kib(before, withAttempts)],
      note: `${withAttempts.controlPlane.rssMb.toFixed(0)} MiB`,
    }),
    figureOf({
      name: 'PostgreSQL, PSS of all its processes',
      unit: 'MiB',
      values: [withAttempts.postgres.pssMb],
      note: `before ${before.postgres.pssMb.toFixed(0)} MiB`,
    }),
  ];
}

function connectFigures(joined, { readyMs, allMs, sinceReadyMs, helloMs, errors, synced }, fate, { agents }) {
  const all = { text: `all ${agents}`, isReached: ({ value }) => value === agents };
  return [
    figureOf({
      name: `first contact of ${agents} agents, 50 at a time a process`,
      unit: 's',
      values: [joined.seconds],
    }),
    latencyOf({ name: 'hello answered, first contact', values: joined.record.helloMs }),
    figureOf({ name: 'control plane killed: ready again after', unit: 's', values: [readyMs / 1000] }),
    figureOf({ name: 'agents that are back', unit: '', values: [synced], aim: all }),
    figureOf({
      name: 'the last agent is back after',
      unit: 's',
      values: [allMs / 1000],
      note: 'agents pause 0.1 to 30 s between tries, growing',
    }),
    latencyOf({ name: 'agents greeted, counted from ready', values: sinceReadyMs }),
    latencyOf({ name: 'hello answered, coming back', values: helloMs }),
    figureOf({
      name: 'attempts falsely given up, by their events',
      unit: '',
      values: [Math.max(fate.ended, agents - fate.running)],
      aim: { text: '0', isReached: ({ value }) => value === 0 },
      note: countsOf(fate.events) || 'no event but offered and started',
    }),
    figureOf({ name: 'attempts still held by their agents', unit: '', values: [attemptsOf(fate.held)], aim: all }),
    remarkOf('seen while it was away', countsOf(errors)),
  ];
}
