// Throughput of jobs that do nothing: from the first submit to the last completion recorded, submission included.
import { databaseWork } from '../../measure/database-work.mjs';
import { untilDrained } from '../../stack/drained.mjs';

const BATCH = 100;

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
  const workBefore = await databaseWork(stack.databaseUrl);
  const { result: run, cpu } = await stack.cpu(jobs, () =>
    untilDrained(stack.databaseUrl, () => submitAll(stack.api, specs)),
  );
  const rawAfter = raw.rate(rawSpawns);
  const work = await databaseWork(stack.databaseUrl);
  return {
    jobs,
    jobsPerSecond: jobs / run.seconds,
    submitsPerSecond: jobs / run.result.submitSeconds,
    rawPerSecond: (rawBefore + rawAfter) / 2,
    commitsPerJob: (work.commits - workBefore.commits - run.looks) / jobs,
    walKibPerJob: (work.walKib - workBefore.walKib) / jobs,
    cpu,
  };
}

async function submitAll(api, specs) {
  const began = performance.now();
  for (let at = 0; at < specs.length; at += BATCH) await api.post('/jobs', { jobs: specs.slice(at, at + BATCH) });
  return { submitSeconds: (performance.now() - began) / 1000 };
}
