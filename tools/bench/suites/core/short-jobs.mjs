// Throughput of jobs that do nothing: from the first submit to the last completion recorded, submission included.
import { until } from '../../measure/waiting.mjs';

const BATCH = 100;
const OPEN = 'queued,assigned,running';

/** One warm-up that also says how many jobs fill a round, then the rounds. */
export async function shortJobs(stack, raw, { rounds, roundSeconds, jobsMin, jobsMax, rawSpawns }) {
  const warm = await round(stack, raw, { jobs: jobsMin, rawSpawns });
  const fitting = Math.round((warm.jobsPerSecond * roundSeconds) / BATCH) * BATCH;
  const jobs = Math.min(jobsMax, Math.max(jobsMin, fitting));
  const measured = [];
  for (let index = 0; index < rounds; index++) measured.push(await round(stack, raw, { jobs, rawSpawns }));
  return measured;
}

async function round(stack, raw, { jobs, rawSpawns }) {
  const specs = Array.from({ length: jobs }, (_, index) => ({
    name: `true-${index}`,
    run: { command: ['/bin/true'] },
  }));
  const rawBefore = raw.rate(rawSpawns);
  const { result, cpu } = await stack.cpu(jobs, async () => {
    const began = performance.now();
    for (let at = 0; at < jobs; at += BATCH) await stack.api.post('/jobs', { jobs: specs.slice(at, at + BATCH) });
    const submitted = performance.now();
    await until('the jobs of a round', async () => (await openJobs(stack.api)) === 0, {
      everyMs: 25,
      timeoutMs: 600_000,
    });
    return { seconds: (performance.now() - began) / 1000, submitSeconds: (submitted - began) / 1000 };
  });
  const rawAfter = raw.rate(rawSpawns);
  return {
    jobs,
    jobsPerSecond: jobs / result.seconds,
    submitsPerSecond: jobs / result.submitSeconds,
    rawPerSecond: (rawBefore + rawAfter) / 2,
    cpu,
  };
}

/** 0 when nothing waits and nothing runs; only our own jobs are on this stack. */
export async function openJobs(api) {
  return (await api.get(`/jobs?status=${OPEN}&limit=1`)).data.length;
}
