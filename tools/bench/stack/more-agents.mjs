// Agents beside the one of the stack, each with its own state directory, as on machines of their own.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/root.mjs';
import { until } from '../measure/waiting.mjs';

export const AGENT_PROGRAM = join(ROOT, 'apps', 'agent', 'dist', 'bundle', 'main.mjs');

/** Resolves when the control plane knows it as connected. */
export async function startAgent({ stack, directory, folder, name, slots, muster }) {
  mkdirSync(folder, { recursive: true });
  const log = openSync(join(folder, 'agent.log'), 'a');
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LANG: process.env.LANG,
    MUSTER_URL: stack.url,
    MUSTER_AGENT_KEY_FILE: directory.workerKey,
    MUSTER_AGENT_STATE_DIR: join(folder, 'state'),
    MUSTER_AGENT_NAME: name,
    MUSTER_AGENT_SLOTS: String(slots),
    MUSTER_AGENT_MONITOR_PORT: '0',
  };
  // The channel ends it with us, whatever becomes of us.
  const child = spawn(process.execPath, [AGENT_PROGRAM], {
    env,
    cwd: folder,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const began = performance.now();
  await until(`agent ${name}`, () => isConnected(muster, name), { timeoutMs: 60_000 });
  return {
    pid: child.pid,
    connectedMs: performance.now() - began,
    async stop() {
      if (child.connected) child.send({ kind: 'stop', graceSeconds: 0 });
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function isConnected(muster, name) {
  for await (const worker of muster.workers.list())
    if (worker.name === name && worker.link === 'connected') return true;
  return false;
}
