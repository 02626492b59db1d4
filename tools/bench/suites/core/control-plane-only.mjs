// What is left of a job when no process is started: claim, offer, start and end, all committed.
import { Fleet } from '../../fleet/fleet.mjs';
import { inParallel } from '../../measure/waiting.mjs';
import { untilDrained } from '../../stack/drained.mjs';

const BATCH = 100;
const LABELS = { bench: 'raw' };

/** Jobs are queued first, for a label that only the raw agents have; then those connect, and the clock runs until the last end. */
export async function controlPlaneOnly(stack, { rounds, noOpJobs, warmUps }) {
  const measured = [];
  for (let round = -warmUps; round < rounds; round++) {
    const one = await drain(stack, round < 0 ? Math.min(noOpJobs, 200) : noOpJobs);
    if (round >= 0) measured.push(one);
  }
  return measured;
}

async function drain(stack, jobs) {
  await inParallel(Math.ceil(jobs / BATCH), 2, (batch) => {
    const count = Math.min(BATCH, jobs - batch * BATCH);
    return stack.api.post('/jobs', { jobs: Array.from({ length: count }, (_, index) => noOp(batch * BATCH + index)) });
  });
  const { result, cpu } = await stack.cpu(jobs, async () => {
    const fleet = await Fleet.join({
      url: stack.url,
      key: stack.workerKey,
      count: 4,
      slots: 64,
      works: true,
      name: 'no-op',
      labels: [LABELS],
    });
    try {
      await untilDrained(stack.databaseUrl, () => undefined);
      return await fleet.take();
    } finally {
      await fleet.leave();
    }
  });
  if (result.endedAt.length < jobs) throw new Error(`Only ${result.endedAt.length} of ${jobs} ends were accepted.`);
  const first = Math.min(...result.offerAt);
  const last = Math.max(...result.endedAt);
  return { perSecond: jobs / ((last - first) / 1000), cpu };
}

const noOp = (index) => ({ name: `no-op-${index}`, run: { command: ['/bin/true'] }, needs: { labels: LABELS } });
