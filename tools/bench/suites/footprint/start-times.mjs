// From the start of a program until it is of use.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../../lib/root.mjs';
import { memoryOf } from '../../measure/memory.mjs';
import { sleep, timesOf } from '../../measure/waiting.mjs';

const CLI = join(ROOT, 'apps', 'cli', 'dist', 'main.js');
const CONTROL_PLANE = join(ROOT, 'apps', 'control-plane', 'dist', 'main.js');

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

/** Milliseconds of each start, by program. The control plane is started as a second replica on the same database. */
export async function startTimes(stack, { starts }) {
  const times = (work) => timesOf(starts, work);
  return {
    'bare Node': await times(() => run(['-e', '0'])),
    'muster --version': await times(() => run([CLI, '--version'])),
    'muster ps': await times(() => run([CLI, 'ps'], { MUSTER_URL: stack.url, MUSTER_KEY: stack.api.key })),
    'control plane until ready, database migrated': await controlPlanes(stack, starts),
    'agent until connected, first contact': await agents(stack, starts),
  };
}

function run(args, env = {}) {
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
}

async function controlPlanes(stack, starts) {
  return timesOf(starts, async () => {
    const env = { PATH: process.env.PATH, HOME: tmpdir(), DATABASE_URL: stack.databaseUrl, MUSTER_PORT: '0' };
    const child = spawn(process.execPath, ['--enable-source-maps', CONTROL_PLANE], {
      env,
      cwd: stack.dataDir,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    try {
      await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => Promise.reject(new Error('The control plane ended.'))),
      ]);
    } finally {
      // Its stop is not what is measured.
      child.kill('SIGKILL');
    }
  });
}

async function agents(stack, starts) {
  const times = [];
  for (let index = 0; index < starts; index++) times.push((await stack.addAgent(`start-${index}`)).connectedMs);
  return times;
}
