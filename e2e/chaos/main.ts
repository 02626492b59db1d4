import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultKind } from './plan.js';
import { runChaos } from './run.js';

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kinds: { type: 'string', default: FAULT_KINDS.join(',') },
    lengths: { type: 'string', default: '1' },
    jobs: { type: 'string' },
  },
});
const kinds = FAULT_KINDS.filter((kind): kind is FaultKind => values.kinds.split(',').includes(kind));
const seed = Number(values.seed);
console.log(`chaos: ${values.faults} faults, seed ${seed}`);
const begunMs = performance.now();
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort());
const result = await runChaos({
  seed,
  faults: Number(values.faults),
  kinds,
  lengthFactor: Number(values.lengths),
  ...(values.jobs === undefined ? {} : { jobsAtOnce: Number(values.jobs) }),
  signal: interrupted.signal,
  say: (line) => console.log(`${((performance.now() - begunMs) / 1_000).toFixed(1).padStart(6)} s  ${line}`),
});
for (const [kind, why] of Object.entries(result.impossible)) console.log(`without ${kind}: ${why}`);
console.log('faults:', result.counts);
console.log(`jobs: ${result.jobs.length}`, result.statuses);
console.log(result.report || `Nothing found in ${Math.round((performance.now() - begunMs) / 1_000)} s.`);
process.exitCode = result.findings.length > 0 ? 1 : 0;
