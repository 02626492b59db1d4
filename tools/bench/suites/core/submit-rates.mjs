// How fast jobs are taken in while no worker can run them: their label is on none, so nothing else goes on meanwhile.
import { inParallel } from '../../measure/waiting.mjs';
import { clearJobs } from '../../stack/clear-jobs.mjs';

const CALLERS = 8;
const BATCH = 100;
const BATCHES_AT_ONCE = 2;

export async function submitRates(stack, { rounds, singles, batches }) {
  const single = [];
  const batch = [];
  await singlesRound(stack, Math.min(100, singles));
  for (let round = 0; round < rounds; round++) {
    single.push(await singlesRound(stack, singles));
    batch.push(await batchesRound(stack, batches));
    await clearJobs(stack.databaseUrl);
  }
  return { single, batch };
}

function singlesRound(stack, count) {
  return rate(stack, count, () => inParallel(count, CALLERS, (index) => stack.api.post('/jobs', waiting(index))));
}

function batchesRound(stack, batches) {
  return rate(stack, batches * BATCH, () =>
    inParallel(batches, BATCHES_AT_ONCE, (batch) =>
      stack.api.post('/jobs', { jobs: Array.from({ length: BATCH }, (_, index) => waiting(batch * BATCH + index)) }),
    ),
  );
}

async function rate(stack, jobs, work) {
  const { result: seconds, cpu } = await stack.cpu(jobs, async () => {
    const began = performance.now();
    await work();
    return (performance.now() - began) / 1000;
  });
  return { perSecond: jobs / seconds, cpu };
}

function waiting(index) {
  return {
    name: `train-${index}`,
    run: { command: ['python3', 'train.py', '--seed', String(index)] },
    env: { LR: '0.1', SEED: String(index) },
    labels: { experiment: '7', index: String(index % 50) },
    needs: { labels: { bench: 'nobody' } },
  };
}
