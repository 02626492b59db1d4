// The measured thing: the stack that `npm start` starts, with its configuration. Only the data directory, the port and the
// number of slots are named. Started once per bench, or once per suite where a suite needs another number of slots.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Muster } from '@muster/client';
import { dataDirectoryAt, startStack } from '@muster/local-stack';
import { cpuBetween, cpuOfParts, readProcesses } from '../measure/cpu-accounting.mjs';
import { until } from '../measure/waiting.mjs';
import { Api } from './api.mjs';
import { startAgent } from './more-agents.mjs';
import { ROOT } from '../../lib/root.mjs';

const COMPILED = {
  controlPlane: join(ROOT, 'apps/control-plane/dist/main.js'),
  agent: join(ROOT, 'apps/agent/dist/main.js'),
};
const PROBE = pathToFileURL(join(import.meta.dirname, 'event-loop-probe.mjs')).href;

/** @typedef {Awaited<ReturnType<typeof openStack>>} BenchStack */

/**
 * @param {{ slots: number, withProbe?: boolean, isProfiled?: boolean, say?: (text: string) => void }} options `isProfiled`: from
 *   the files that are bundled, so that a profile names the file of each function
 */
export async function openStack({ slots, withProbe = false, isProfiled = false, say = () => undefined }) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'));
  // PostgreSQL may run as another user, who must get through to the data below.
  chmodSync(folder, 0o711);
  const probeFolder = join(folder, 'probes');
  mkdirSync(probeFolder);
  const directory = dataDirectoryAt(join(folder, 'data'));
  const probe = withProbe ? { NODE_OPTIONS: `--import ${PROBE}`, BENCH_PROBE_FOLDER: probeFolder } : {};
  const env = {
    ...plainEnvironment(),
    MUSTER_DATA_DIR: directory.root,
    MUSTER_PORT: '0',
    MUSTER_AGENT_SLOTS: String(slots),
    ...probe,
  };
  const began = performance.now();
  const steps = {};
  const onProgress = ({ step, state, elapsedMs }) => state === 'done' && (steps[step] = elapsedMs);
  const programs = isProfiled ? COMPILED : undefined;
  const stack = await startStack({ env, cwd: folder, programs, onNotice: say, onProgress }).catch((error) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const muster = new Muster({ url: stack.url, key: stack.adminKey });
  const api = new Api(stack.url, stack.adminKey);
  const agents = [];
  const pids = () => pidsOf(directory, agents);
  const parts = () => cpuOfParts(readProcesses(), rootsOf(pids()));
  const close = async () => {
    api.close();
    await Promise.all(agents.map((agent) => agent.stop()));
    await stack.stop({ graceSeconds: 0 });
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const worker = await until('the first agent', () => firstWorker(muster), { everyMs: 20, timeoutMs: 60_000 });
    const readyMs = performance.now() - began;
    return {
      url: stack.url,
      databaseUrl: stack.databaseUrl,
      dataDir: stack.dataDir,
      workerKey: readFileSync(directory.workerKey, 'utf8').trim(),
      worker,
      muster,
      api,
      probeFolder,
      /** How long the first start took, made up of its steps and of the agent's first connection. */
      start: { readyMs, steps },
      pids,
      /** Processor time of everything involved while `work` runs, per unit of what it did. */
      async cpu(units, work) {
        const before = parts();
        const result = await work();
        return { result, cpu: cpuBetween(before, parts(), typeof units === 'function' ? units(result) : units) };
      },
      async addAgent(name) {
        const agent = await startAgent({ stack, directory, folder: join(folder, name), name, slots, muster });
        agents.push(agent);
        return agent;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The environment of `npm start` on a machine where nothing of Muster is configured. */
function plainEnvironment() {
  const isOurs = (name) => name.startsWith('MUSTER_') || name === 'DATABASE_URL' || name === 'NODE_OPTIONS';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
}

async function firstWorker(muster) {
  for await (const worker of muster.workers.list()) {
    if (worker.link === 'connected')
      return { id: worker.id, slots: worker.slots, containment: worker.inventory.containment.default };
  }
  return undefined;
}

function pidsOf(directory, agents) {
  const service = (name) => JSON.parse(readFileSync(join(directory.running, `${name}.json`), 'utf8')).pid;
  return {
    controlPlane: service('control-plane'),
    agent: service('agent'),
    otherAgents: agents.map(({ pid }) => pid),
    postgres: Number(readFileSync(join(directory.postgres, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]),
  };
}

/** The bench process counts as submitter; what it started itself stands below the other roots. */
function rootsOf({ controlPlane, agent, otherAgents, postgres }) {
  const agents = [agent, ...otherAgents].map((pid) => ({ pid, name: 'agent', below: 'supervisors and jobs' }));
  return [
    { pid: controlPlane, name: 'control plane' },
    ...agents,
    { pid: postgres, name: 'PostgreSQL' },
    { pid: process.pid, name: 'bench' },
  ];
}
