// npm run sim: many simulated schedules on all cores. Prints figures while it runs; the first failure ends it with exit 1.
//   --schedules N   of each profile, 100000 unless said
//   --seed S        the first one; a number or a commit hash, of which the first digits count; the present commit unless said
//   --profile P     exclusive or reclaim; both unless said
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { bundleSimulator } from './sim/bundle.mjs';
import { readOptions, USAGE } from './sim/options.mjs';

const CHUNK = 250;
const options = readOptions(process.argv.slice(2));
if ('complaint' in options) {
  console.error(`${options.complaint}\nUsage: ${USAGE}`);
  process.exit(2);
}
const { folder, file } = await bundleSimulator();
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const { baseSeed, figuresLine, sumFigures, PROFILES, SOMETIMES } = await import(file);
const first = baseSeed(options.seed);
for (const profile of options.profile ? [options.profile] : PROFILES) {
  const figures = await runProfile(profile);
  process.stdout.write(figuresLine(figures, first, SOMETIMES[profile]));
  if (figures.failed > 0) process.exit(1);
}

/** Hands out chunks of seeds to one worker per core until all are done or one has failed. */
async function runProfile(profile) {
  const begunAtMs = performance.now();
  const parts = [];
  let next = 0;
  const run = async (worker) => {
    while (next < options.schedules && parts.every((part) => part.failed === 0)) {
      const count = Math.min(CHUNK, options.schedules - next);
      next += count;
      parts.push(await ask(worker, { profile, first: first + next - count, count }));
      process.stderr.write(`\r${profile}: ${parts.reduce((sum, part) => sum + part.schedules, 0)} of ${options.schedules}`);
    }
    await worker.terminate();
  };
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(new URL('./sim/worker.mjs', import.meta.url), { workerData: { file } }));
  await Promise.all(workers.map(run));
  process.stderr.write('\n');
  const failed = parts.find((part) => part.description !== null);
  if (failed) console.log(failed.description);
  return { ...sumFigures(profile, parts), seconds: (performance.now() - begunAtMs) / 1_000 };
}

function ask(worker, order) {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(order);
  });
}
