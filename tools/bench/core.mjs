// Suite core: what one short job costs, and how soon an idle Muster begins one. Measured on the stack that `npm start`
// starts, with its configuration, containment and commit settings; only the data directory and the slots are named.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Muster } from '@muster/client';
import { startStack } from '@muster/local-stack';
import { cpuMsOf } from './cpu-accounting.mjs';
import { nodeSpawnRate, prepareRawSpawn, singleRowCommitMs } from './machine-limits.mjs';
import { median, percentile, spread } from './statistics.mjs';

const SLOTS = 8;
const BATCH = 100;

/** @param {{ rounds: number, jobs: number, samples: number }} options */
export async function core({ rounds, jobs, samples }) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-core-'));
  const rawSpawn = prepareRawSpawn();
  const env = { ...process.env, MUSTER_DATA_DIR: folder, MUSTER_AGENT_SLOTS: String(SLOTS), MUSTER_AGENT_MONITOR_PORT: 'off', DATABASE_URL: '' };
  delete env.DATABASE_URL;
  const stack = await startStack({ env });
  try {
    const muster = new Muster({ url: stack.url, key: stack.adminKey });
    const worker = await firstWorker(muster);
    await throughputRound(muster, rawSpawn, Math.min(400, jobs));
    const throughput = [];
    for (let round = 0; round < rounds; round++) throughput.push(await throughputRound(muster, rawSpawn, jobs));
    const latency = await latencies(muster, stack, samples);
    const nodeSpawn = await nodeSpawnRate(500);
    return { worker, rawSpawn: rawSpawn.how, nodeSpawn, throughput, latency };
  } finally {
    await stack.stop();
    rawSpawn.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function firstWorker(muster) {
  for (;;) {
    for await (const worker of muster.workers.list()) {
      if (worker.link === 'connected') return { slots: worker.slots, containment: worker.inventory.containment.default };
    }
    await sleep(50);
  }
}

/** From the first submit to the last completion recorded, submission included. */
async function throughputRound(muster, rawSpawn, jobs) {
  const label = `round-${performance.now()}`;
  const specs = Array.from({ length: jobs }, (_, i) => ({ name: `true-${i}`, run: { command: ['/bin/true'] }, labels: { round: label } }));
  const rawBefore = rawSpawn.rate(2_000);
  // PostgreSQL, control plane and agent are our children: the whole price of a job is in this one tree.
  const cpuBefore = cpuMsOf([process.pid]);
  const began = performance.now();
  for (let at = 0; at < jobs; at += BATCH) await muster.jobs.submitMany(specs.slice(at, at + BATCH));
  const submitted = performance.now();
  await until(async () => (await count(muster, label)) === 0);
  const seconds = (performance.now() - began) / 1000;
  const cpuMs = cpuMsOf([process.pid]) - cpuBefore;
  const rawAfter = rawSpawn.rate(2_000);
  const raw = (rawBefore + rawAfter) / 2;
  return { jobsPerSecond: jobs / seconds, rawPerSecond: raw, ratio: jobs / seconds / raw, cpuMsPerJob: cpuMs / jobs, submitsPerSecond: jobs / ((submitted - began) / 1000) };
}

async function count(muster, label) {
  for await (const _ of muster.jobs.list({ labels: { round: label }, status: ['queued', 'assigned', 'running'], pageSize: 1 })) return 1;
  return 0;
}

/** One job at a time on an idle stack: the job prints the moment its main() runs. */
async function latencies(muster, stack, samples) {
  const commits = await singleRowCommitMs(stack.databaseUrl, 300);
  const toStart = [];
  const toEnd = [];
  for (let i = 0; i < samples; i++) {
    const submittedAt = performance.timeOrigin + performance.now();
    const job = await muster.jobs.submit({ name: 'date', run: { command: ['/bin/date', '+%s.%N'] } });
    await until(async () => (await muster.jobs.get(job.id)).status === 'completed', 1);
    toEnd.push(performance.timeOrigin + performance.now() - submittedAt);
    const startedAt = Number(await textOf(muster, job.id)) * 1000;
    toStart.push(startedAt - submittedAt);
    await sleep(20);
  }
  return { commitMs: median(commits), commitP99Ms: percentile(commits, 0.99), toStart, toEnd };
}

async function textOf(muster, id) {
  for (;;) {
    let text = '';
    for await (const bytes of muster.logs.download(id)) text += Buffer.from(bytes).toString();
    if (text.endsWith('\n')) return text;
    await sleep(5);
  }
}

async function until(probe, everyMs = 20) {
  while (!(await probe())) await sleep(everyMs);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function printCore({ worker, rawSpawn, nodeSpawn, throughput, latency }) {
  const of = (name) => throughput.map((round) => round[name]);
  const row = (label, value, note = '') => console.log(`  ${label.padEnd(38)} ${value.padStart(12)}   ${note}`);
  console.log(`Suite core: one agent, ${worker.slots} slots, containment ${worker.containment}, synchronous_commit on`);
  row('short jobs per second', median(of('jobsPerSecond')).toFixed(0), `${spread(of('jobsPerSecond'))}; /bin/true, submission included`);
  row('raw spawns per second', median(of('rawPerSecond')).toFixed(0), `${spread(of('rawPerSecond'))}; ${rawSpawn}`);
  row('share of the raw spawn rate', median(of('ratio')).toFixed(3), `${spread(of('ratio'), 3)}`);
  row('share of Node spawn with pipes', (median(of('jobsPerSecond')) / nodeSpawn).toFixed(2), `${nodeSpawn.toFixed(0)} per second`);
  row('CPU ms per job, everything', median(of('cpuMsPerJob')).toFixed(2), `${spread(of('cpuMsPerJob'), 2)}`);
  row('submits per second, batches of 100', median(of('submitsPerSecond')).toFixed(0), spread(of('submitsPerSecond')));
  row('single-row commit, ms', latency.commitMs.toFixed(2), `p99 ${latency.commitP99Ms.toFixed(2)}`);
  const both = (values) => `p99 ${percentile(values, 0.99).toFixed(1)}, n ${values.length}`;
  row('submit to process start, ms p50', median(latency.toStart).toFixed(1), both(latency.toStart));
  row('submit to completion seen, ms p50', median(latency.toEnd).toFixed(1), both(latency.toEnd));
  const aim = 3 * latency.commitMs + 3;
  row('aim for the start: 3 commits + 3 ms', aim.toFixed(1), median(latency.toStart) <= aim ? 'reached' : 'not reached');
}
