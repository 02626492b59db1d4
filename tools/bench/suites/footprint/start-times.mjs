// From the start of a program until it is of use.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../../lib/root.mjs';
import { readProcesses, TICK_MS } from '../../measure/cpu-accounting.mjs';
import { memoryOf } from '../../measure/memory.mjs';
import { sleep } from '../../measure/waiting.mjs';

const CLI = join(ROOT, 'apps', 'cli', 'dist', 'bundle', 'main.mjs');
const CONTROL_PLANE = join(ROOT, 'apps', 'control-plane', 'dist', 'bundle', 'main.mjs');

/** What Node takes with nothing in it, idle. */
export async function bareNode() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)'], { stdio: 'ignore' });
  try {
    await sleep(700);
    return memoryOf(child.pid);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/**
 * Wall-clock and processor milliseconds of each start, by program; the latter hardly depend on neighbours. The control
 * plane is started as a second replica on the same database.
 *
 * @returns {Promise<Record<string, { times: number[], cpuMs: number[] }>>}
 */
export async function startTimes(stack, { starts }) {
  const people = { MUSTER_URL: stack.url, MUSTER_KEY: stack.api.key };
  return {
    'bare Node': await measured(starts, () => run(['-e', '0'])),
    'muster --version': await measured(starts, () => run([CLI, '--version'])),
    'muster ps': await measured(starts, () => run([CLI, 'ps'], people)),
    'control plane until ready, database migrated': await measured(starts, () => controlPlane(stack)),
    'agent until connected, first contact': await measured(starts, (index) => agent(stack, index)),
  };
}

/** `start` answers the milliseconds it wants counted, if not all of its time, and the processor time used until then. */
async function measured(starts, start) {
  const times = [];
  const cpuMs = [];
  for (let index = 0; index < starts; index++) {
    const began = performance.now();
    const { elapsedMs, usedMs } = await start(index);
    times.push(elapsedMs ?? performance.now() - began);
    cpuMs.push(usedMs);
  }
  return { times, cpuMs };
}

/** To its end; what it used is then ours as that of an ended child. */
function run(args, env = {}) {
  const before = readProcesses().get(process.pid).childTicks;
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  const elapsedMs = performance.now() - began;
  return { elapsedMs, usedMs: (readProcesses().get(process.pid).childTicks - before) * TICK_MS };
}

async function controlPlane(stack) {
  const env = { PATH: process.env.PATH, HOME: tmpdir(), DATABASE_URL: stack.databaseUrl, MUSTER_PORT: '0' };
  const options = { env, cwd: stack.dataDir, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] };
  const began = performance.now();
  const child = spawn(process.execPath, [CONTROL_PLANE], options);
  const ended = once(child, 'exit');
  try {
    await Promise.race([
      once(child, 'message'),
      ended.then(() => Promise.reject(new Error('The control plane ended.'))),
    ]);
    return { elapsedMs: performance.now() - began, usedMs: usedBy(child.pid) };
  } finally {
    // Its stop is not what is measured.
    child.kill('SIGKILL');
    await ended;
  }
}

async function agent(stack, index) {
  const { pid, connectedMs } = await stack.addAgent(`start-${index}`);
  return { elapsedMs: connectedMs, usedMs: usedBy(pid) };
}

function usedBy(pid) {
  const { ownTicks, childTicks } = readProcesses().get(pid);
  return (ownTicks + childTicks) * TICK_MS;
}
