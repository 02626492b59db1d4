import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyFreePort, startEmbeddedPostgres, type EmbeddedPostgres } from '@muster/local-stack';
import { Api } from './api.js';
import { removeControlGroups } from './control-groups.js';
import { eventually } from './eventually.js';
import { ManagedProcess } from './managed-process.js';
import { ROOT } from './root.js';

const root = ROOT;

/** A program below fixtures/, by its absolute path. */
export const fixture = (name: string): string => join(root, 'e2e/fixtures', name);

/** The agent as one file, as `npm run build` makes it. */
export const AGENT_PROGRAM = join(root, 'apps/agent/dist/bundle/main.mjs');

export interface Cluster {
  readonly api: Api;
  readonly adminKey: string;
  readonly databaseUrl: string;
  /** A folder of this cluster's own, removed with it. */
  readonly folder: string;
  readonly controlPlane: ManagedProcess;
  /** Starts an agent with its own state directory and waits until its worker is connected. It is the built one unless told. */
  startAgent(name: string, env?: Readonly<Record<string, string>>, program?: string): Promise<ManagedProcess>;
  /** Starts a second control plane on the same database and answers its address. */
  startReplica(): Promise<string>;
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A Muster of built apps as real processes: PostgreSQL, one control plane, and the agents a test starts. Everything
 * runs with the default configuration but for what `env` says.
 */
export async function startCluster(env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-e2e-'));
  // PostgreSQL runs as another user when we are root, and must be able to pass.
  chmodSync(folder, 0o711);
  const postgresOptions = { dataDir: join(folder, 'postgres'), port: await anyFreePort(), mode: 'child' as const };
  let postgres: EmbeddedPostgres = await startEmbeddedPostgres(postgresOptions);
  const port = await anyFreePort();
  const keyFiles = { admin: join(folder, 'admin.key'), worker: join(folder, 'worker.key') };
  const common = { PATH: process.env.PATH ?? '', HOME: folder, NODE_ENV: 'production' };
  const url = `http://127.0.0.1:${port}`;

  const controlPlaneOn = (name: string, itsPort: number): ManagedProcess =>
    new ManagedProcess({
      name,
      script: join(root, 'apps/control-plane/dist/bundle/main.mjs'),
      logFile: join(folder, `${name.replace(' ', '-')}.log`),
      env: {
        ...common, DATABASE_URL: postgres.url, MUSTER_PORT: String(itsPort),
        MUSTER_BOOTSTRAP_ADMIN_KEY_FILE: keyFiles.admin, MUSTER_BOOTSTRAP_WORKER_KEY_FILE: keyFiles.worker, ...env,
      },
    });
  const controlPlane = controlPlaneOn('control plane', port);
  const replicas: ManagedProcess[] = [];
  const agents: ManagedProcess[] = [];
  const stateDirs: string[] = [];
  controlPlane.start();
  const isReady = async () => (await fetch(`${url}/health/ready`)).ok && existsSync(keyFiles.admin);
  await hasStarted(controlPlane, 'the control plane is ready', isReady).catch(async (error: unknown) => {
    await controlPlane.kill('SIGKILL');
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const adminKey = readFileSync(keyFiles.admin, 'utf8').trim();
  const api = new Api(url, adminKey);

  async function startAgent(
    name: string,
    agentEnv: Readonly<Record<string, string>> = {},
    program = AGENT_PROGRAM,
  ): Promise<ManagedProcess> {
    const stateDir = join(folder, `agent-${name}`);
    mkdirSync(stateDir, { mode: 0o700 });
    stateDirs.push(stateDir);
    const agent = new ManagedProcess({
      name: `agent ${name}`,
      script: program,
      logFile: join(folder, `agent-${name}.log`),
      env: {
        ...common, MUSTER_URL: url, MUSTER_AGENT_KEY_FILE: keyFiles.worker, MUSTER_AGENT_NAME: name,
        MUSTER_AGENT_STATE_DIR: stateDir, MUSTER_AGENT_MONITOR_PORT: 'off', ...agentEnv,
      },
    });
    agents.push(agent);
    agent.start();
    await hasStarted(agent, `the worker ${name} is connected`, async () =>
      (await api.workers()).some((worker) => worker.name === name && worker.link === 'connected'),
    );
    return agent;
  }

  async function startReplica(): Promise<string> {
    const itsPort = await anyFreePort();
    const replica = controlPlaneOn(`replica ${replicas.length + 2}`, itsPort);
    replicas.push(replica);
    replica.start();
    await hasStarted(replica, 'the replica is ready', async () => (await fetch(`http://127.0.0.1:${itsPort}/health/ready`)).ok);
    return `http://127.0.0.1:${itsPort}`;
  }

  return {
    api,
    adminKey,
    databaseUrl: postgres.url,
    folder,
    controlPlane,
    startAgent,
    startReplica,
    killPostgres: () => postgres.kill('SIGKILL'),
    startPostgres: async () => {
      postgres = await startEmbeddedPostgres(postgresOptions);
    },
    stop: async () => {
      // What still runs is stopped by its agent first, so that no job outlives the test that made it.
      for (const agent of agents) {
        if (!agent.isRunning) agent.start();
        await agent.kill('SIGCONT');
      }
      await cancelEverything(api).catch(() => undefined);
      for (const agent of agents) await agent.kill('SIGKILL');
      for (const replica of [...replicas, controlPlane]) await replica.kill('SIGKILL');
      await postgres.stop();
      for (const stateDir of stateDirs) await removeControlGroups(stateDir);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits no longer once the program has ended, and shows its last words. */
async function hasStarted(program: ManagedProcess, what: string, probe: () => Promise<boolean>): Promise<void> {
  const isThere = await eventually(what, async () => (program.isRunning ? (await probe()) || undefined : false));
  if (!isThere) throw new Error(`Before ${what}, it ended:\n${program.output().slice(-4_000)}`);
}

async function cancelEverything(api: Api): Promise<void> {
  const active = '/api/v1/jobs?status=queued,assigned,running,paused&limit=200';
  const { data } = await api.get<{ data: { id: string }[] }>(active);
  for (const { id } of data) await api.request('POST', `/api/v1/jobs/${id}/cancel`, { force: true });
  await eventually('no job is left', async () => ((await api.get<{ data: unknown[] }>(active)).data.length === 0 ? true : undefined), 20_000);
}
