/**
 * Measures what docs/adr/0003 decided by: starting `/bin/true` from the agent itself, from warm shell supervisors, and
 * through the whole execution manager. Needs a built agent (`npm run build`). Prints one Markdown row per way and size.
 *
 *   node tools/measure-spawn.mjs [jobs per round, 800] [state folder, the system's temporary folder]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const JOBS = Number(process.argv[2] ?? 800);
const FOLDER = process.argv[3] ?? tmpdir();
const IN_FLIGHT = 8;
const TICK_MS = 10;
const dist = new URL('../apps/agent/dist/', import.meta.url);

/** Runs `JOBS` jobs, `IN_FLIGHT` at a time, and watches what the event loop has left for others. */
async function measure(start) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let ticks = 0;
  const ticker = setInterval(() => (ticks += 1), TICK_MS);
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const from = performance.now();
  let left = JOBS;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left-- > 0) await start();
    }),
  );
  const wallMs = performance.now() - from;
  const { active } = performance.eventLoopUtilization(loopBefore);
  const cpu = process.cpuUsage(cpuBefore);
  clearInterval(ticker);
  delay.disable();
  return {
    jobsPerSecond: Math.round((JOBS / wallMs) * 1_000),
    loopMsPerJob: (active / JOBS).toFixed(2),
    cpuMsPerJob: ((cpu.user + cpu.system) / 1_000 / JOBS).toFixed(2),
    delayMs: `${(delay.percentile(99) / 1e6).toFixed(0)} / ${(delay.max / 1e6).toFixed(0)}`,
    ticks: `${Math.round((100 * ticks * TICK_MS) / wallMs)} %`,
  };
}

function plainSpawn() {
  return new Promise((resolve, reject) => {
    spawn('/bin/true', { stdio: 'ignore' }).once('exit', resolve).once('error', reject);
  });
}

/** The supervisors alone: the files the protocol needs, written directly, and nothing else of the agent. */
async function openSupervisors(stateDir) {
  const { SlotPool } = await import(new URL('supervisor/slot-pool.js', dist).href);
  const attemptsDir = join(stateDir, 'attempts');
  mkdirSync(attemptsDir);
  const waiting = new Map();
  const listener = { ended: (id) => waiting.get(id)?.(), refused: () => undefined, supervisorLost: () => undefined };
  const options = {
    size: IN_FLIGHT,
    shellPath: '/bin/sh',
    stateDir,
    attemptsDir,
    cgroupRoot: '',
    seats: null,
    listener,
    clock: { monotonicMs: () => performance.now() },
    warn: () => undefined,
  };
  const pool = new SlotPool(options);
  await pool.open();
  let made = 0;
  const reserve = '\n'.repeat(4096);
  const start = () => {
    const id = `exe-${++made}`;
    const folder = join(attemptsDir, id);
    mkdirSync(folder);
    writeFileSync(join(folder, 'run'), 'exec /usr/bin/setsid /bin/true\n');
    writeFileSync(join(folder, 'status'), reserve);
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      pool.start(id, { inCgroup: false, notAfterMs: Number.POSITIVE_INFINITY });
    });
  };
  return { start, close: () => pool.close() };
}

async function openManager(stateDir) {
  const { openExecutionManager } = await import(new URL('execution/open-execution-manager.js', dist).href);
  const quiet = () => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const manager = await openExecutionManager({ stateDir, slots: IN_FLIGHT, logger, environment: process.env });
  const waiting = new Map();
  manager.on('ended', (view) => waiting.get(view.executionId)?.());
  const spec = {
    name: 'measure',
    run: { command: ['/bin/true'] },
    env: {},
    labels: {},
    needs: {},
    limits: {},
    priority: 0,
    graceSeconds: 1,
    stopSignal: 'SIGTERM',
    retry: { onFailure: 0, onWorkerLost: 0, backoffSeconds: 1 },
    logs: { separate: false },
    disconnect: { lostAfterSeconds: 1, onWorkerLost: 'requeue', exclusive: false },
  };
  let made = 0;
  const start = async () => {
    const id = await manager.accept({
      attemptId: `att_${++made}`,
      epoch: 1,
      jobId: 'job_measure',
      number: 1,
      spec,
      gpus: [],
    });
    const ended = new Promise((resolve) => waiting.set(id, resolve));
    await manager.start(id);
    await ended;
    waiting.delete(id);
    await manager.discard(id);
  };
  return { start, close: () => manager.close(), name: manager.capabilities.containment.default };
}

async function withFolder(open) {
  const stateDir = mkdtempSync(join(FOLDER, 'muster-measure-'));
  const opened = await open(stateDir);
  try {
    await opened.start();
    return { ...(await measure(opened.start)), name: opened.name };
  } finally {
    await opened.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function print(way, result) {
  const rss = Math.round(process.memoryUsage().rss / 1024 / 1024);
  const { jobsPerSecond, loopMsPerJob, cpuMsPerJob, delayMs, ticks } = result;
  console.log(`| ${way} | ${rss} MB | ${jobsPerSecond} | ${loopMsPerJob} | ${cpuMsPerJob} | ${delayMs} | ${ticks} |`);
}

console.log(
  `${cpus().length} cores, Node ${process.versions.node}, ${JOBS} x /bin/true, ${IN_FLIGHT} at a time, files in ${FOLDER}\n`,
);
console.log(
  '| way | agent RSS | jobs/s | loop busy ms/job | agent CPU ms/job | loop delay p99 / max ms | 10 ms timer kept |',
);
console.log('|---|---|---|---|---|---|---|');
// Supervisors start while the agent is small, as in the product; then it grows.
const ballast = [];
for (const megabytes of [0, 230]) {
  if (megabytes > 0) ballast.push(Buffer.alloc(megabytes * 1024 * 1024, 1));
  print('plain Node spawn', await measure(plainSpawn));
  print('warm shell supervisors', await withFolder(openSupervisors));
  const managed = await withFolder(openManager);
  print(`execution manager (${managed.name})`, managed);
}
