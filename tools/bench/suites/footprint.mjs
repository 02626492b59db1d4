// Suite footprint: what an idle Muster takes, how soon its programs are there, and how much is installed.
import { atMost, figureOf, latencyOf, remarkOf } from '../measure/figure.mjs';
import { cpuOfParts, readProcesses } from '../measure/cpu-accounting.mjs';
import { memoryOf, memoryOfTree, pidsBelow } from '../measure/memory.mjs';
import { median } from '../measure/statistics.mjs';
import { sleep } from '../measure/waiting.mjs';
import { bareNode, startTimes } from './footprint/start-times.mjs';
import { installedSize } from './footprint/installed-size.mjs';

/** Idle: whatever starts has started and the first beats are over. */
const SETTLE_SHARE = 0.2;

export async function footprint(bench) {
  const { sizes, say } = bench;
  const stack = await bench.stack({ slots: 2 });
  say('idle');
  await sleep(sizes.idleSeconds * SETTLE_SHARE * 1000);
  const idle = await idleFigures(stack, sizes);
  say('start-up times');
  const starts = await startTimes(stack, sizes);
  const size = await installedSize();
  const startLimit = { name: 'ms: bare Node', values: starts['bare Node'].times };
  return {
    sections: [
      {
        title: `Idle for ${sizes.idleSeconds} s: one control plane, one agent with ${stack.worker.slots} slots, PostgreSQL`,
        figures: idle,
      },
      {
        title: 'Start-up',
        figures: [
          ...Object.entries(starts).map(([name, { times, cpuMs }]) => {
            const note = `processor time ${median(cpuMs).toFixed(0)} ms`;
            return latencyOf({ name, values: times, note, ...(name === 'bare Node' ? {} : { limit: startLimit }) });
          }),
          figureOf({
            name: 'npm start on an empty data directory, until the agent is connected',
            unit: 's',
            values: [stack.start.readyMs / 1000],
            note: Object.entries(stack.start.steps)
              .map(([step, ms]) => `${step} ${(ms / 1000).toFixed(2)}`)
              .join(', '),
          }),
        ],
      },
      {
        title: 'Installed size',
        figures: Object.entries(size).map(([name, mb]) =>
          Number.isNaN(mb) ? remarkOf(name, 'not found') : figureOf({ name, unit: 'MB', values: [mb] }),
        ),
      },
    ],
    details: { starts, size },
  };
}

async function idleFigures(stack, { idleSeconds }) {
  const { controlPlane, agent, postgres } = stack.pids();
  const bare = await bareNode();
  const roots = [
    { pid: controlPlane, name: 'control plane' },
    { pid: agent, name: 'agent', below: 'supervisors' },
    { pid: postgres, name: 'PostgreSQL' },
    { pid: process.pid, name: 'launcher' },
  ];
  const before = cpuOfParts(readProcesses(), roots);
  const began = performance.now();
  await sleep(idleSeconds * 1000);
  const after = cpuOfParts(readProcesses(), roots);
  const seconds = (performance.now() - began) / 1000;
  const percent = (part) => (after[part] - before[part]) / (seconds * 10);
  const supervisors = pidsBelow(agent)
    .filter((pid) => pid !== agent)
    .map(memoryOf);
  const sum = (list, kind) => list.reduce((total, one) => total + one[kind], 0);
  const bareRss = { name: 'MiB: bare Node', values: [bare.rssMb] };
  const row = (name, part, memory, aims = {}) => [
    figureOf({
      name: `${name}, RSS`,
      unit: 'MiB',
      values: [memory.rssMb],
      limit: bareRss,
      note: `PSS ${memory.pssMb.toFixed(1)} MiB`,
      ...aims.memory,
    }),
    figureOf({ name: `${name}, CPU`, unit: '% of a core', values: [percent(part)], ...aims.cpu }),
  ];
  return [
    ...row('agent', 'agent', memoryOf(agent), {
      memory: { aim: atMost(1.15 * 57, 'MiB') },
      cpu: { aim: atMost(0.15, '%') },
    }),
    figureOf({
      name: `its ${supervisors.length} supervisors and helpers, PSS together`,
      unit: 'MiB',
      values: [sum(supervisors, 'pssMb')],
      note: `CPU ${percent('supervisors').toFixed(3)} %`,
    }),
    ...row('control plane', 'control plane', memoryOf(controlPlane)),
    figureOf({ name: 'PostgreSQL, PSS of all its processes', unit: 'MiB', values: [memoryOfTree(postgres).pssMb] }),
    figureOf({ name: 'PostgreSQL, CPU', unit: '% of a core', values: [percent('PostgreSQL')] }),
    figureOf({ name: 'bare Node, RSS', unit: 'MiB', values: [bare.rssMb], note: `PSS ${bare.pssMb.toFixed(1)} MiB` }),
    remarkOf('a CPU time of 10 ms is the least that can be seen', `it shows as ${(1 / seconds).toFixed(3)} %`),
  ];
}
