import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  anyFreePort,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '@muster/local-stack';
import { FaultProxy } from '@muster/testing';
import { eventually } from '../../src/eventually.js';
import { ROOT } from '../../src/root.js';
import { processesMarked } from '../../src/processes.js';
import { removeControlGroups } from '../../src/control-groups.js';
import { ChaosApi } from './chaos-api.js';
import { Part } from './part.js';
import { SmallDisk } from './small-disk.js';
import { WORKER_TIMEOUT_SECONDS } from './timing.js';

export interface ReplicaSite {
  readonly part: Part;
  readonly port: number;
  /** Between it and PostgreSQL. */
  readonly wire: FaultProxy;
}

export interface AgentSite {
  readonly name: string;
  readonly part: Part;
  readonly stateDir: string;
  readonly attemptsDir: string;
  /** Between it and the replicas; stands for a load balancer. */
  readonly wire: FaultProxy;
  /** Where its state lies, when that is a disk of its own. */
  readonly disk: SmallDisk | null;
}

const AGENTS = ['north', 'south', 'small'] as const;
/** Jobs that each agent runs at once. */
export const SLOTS = 5;
/** For a start of everything at once on a busy machine. */
const REST_MS = 120_000;
/** An agent promises 10 s; the rest is for a busy machine. */
const STOP_MS = 60_000;

/** Two replicas, three agents and PostgreSQL as our direct children, with a proxy on every wire. */
export class Site {
  /** Parts that ended by themselves, or an interruption: no further fault falls. */
  readonly deaths: string[] = [];
  /** Why one agent has no small disk; null when it has. */
  noSmallDisk: string | null = null;
  readonly replicas: ReplicaSite[] = [];
  readonly agents: AgentSite[] = [];
  readonly folder: string;
  readonly marksFile: string;
  private postgres: EmbeddedPostgres | null = null;
  private postgresOptions: EmbeddedPostgresOptions | null = null;
  private knownApi: ChaosApi | null = null;
  private turn = 0;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'muster-chaos-'));
    // PostgreSQL runs as another user when we are root, and must be able to pass.
    chmodSync(this.folder, 0o711);
    this.marksFile = join(this.folder, 'marks');
  }

  get api(): ChaosApi {
    if (!this.knownApi) throw new Error('The site was not opened.');
    return this.knownApi;
  }

  get databaseUrl(): string {
    return this.postgres?.url ?? '';
  }

  get isDatabaseUp(): boolean {
    return this.postgres !== null;
  }

  async open(): Promise<void> {
    this.postgresOptions = { dataDir: join(this.folder, 'postgres'), port: await anyFreePort(), mode: 'child' };
    await this.startDatabase();
    for (const number of [1, 2]) await this.openReplica(number);
    // One after the other: the first makes tables and keys.
    for (const replica of this.replicas) {
      replica.part.start();
      await isReady(replica);
    }
    await eventually('the keys are written', () => (existsSync(this.keyFile('admin')) ? true : undefined));
    const urls = this.replicas.map(({ port }) => `http://127.0.0.1:${port}`);
    this.knownApi = new ChaosApi(urls, readFileSync(this.keyFile('admin'), 'utf8').trim());
    for (const name of AGENTS) await this.openAgent(name);
    await this.rest();
  }

  /** Resolves when every replica is ready and every agent connected. */
  async rest(): Promise<void> {
    for (const replica of this.replicas) await isReady(replica);
    await eventually(
      'all agents are connected',
      async () => {
        const { data } = await this.api.get<{ data: { link: string }[] }>('/api/v1/workers');
        return data.filter(({ link }) => link === 'connected').length === AGENTS.length ? true : undefined;
      },
      REST_MS,
    );
  }

  async startDatabase(): Promise<void> {
    if (this.postgresOptions) this.postgres = await startEmbeddedPostgres(this.postgresOptions);
  }

  /** SIGKILL: as a power cut. SIGINT: a restart by its operator. */
  async endDatabase(signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
    const ending = this.postgres;
    this.postgres = null;
    if (signal === 'SIGKILL') await ending?.kill('SIGKILL');
    else await ending?.stop();
  }

  /** Stops the agents in order, as their operators do. One that does not end well is a death as any other. */
  async stopAgents(): Promise<void> {
    const stop = async ({ part }: AgentSite): Promise<void> => {
      const exit = await Promise.race([part.end('SIGTERM'), delay(STOP_MS, null, { ref: false })]);
      if (exit?.code !== 0) this.deaths.push(`${part.name}, told to stop, ended with ${JSON.stringify(exit)}`);
    };
    await Promise.all(this.agents.map(stop));
  }

  /** Everything ours is gone when this resolves, also jobs that a broken-off run left. */
  async close(): Promise<void> {
    for (const { part } of [...this.agents, ...this.replicas]) await part.end('SIGKILL');
    await this.postgres?.stop();
    // Supervisors, wardens and jobs carry this folder in their arguments or environment.
    const isEmpty = (): true | undefined => (endMarked(this.folder) === 0 ? true : undefined);
    await eventually('no process of this run is left', isEmpty, 20_000).catch(() => undefined);
    for (const { wire } of [...this.agents, ...this.replicas]) await wire.close();
    for (const { stateDir } of this.agents) await removeControlGroups(stateDir).catch(() => undefined);
    for (const { disk } of this.agents) disk?.unmount();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private keyFile(role: string): string {
    return join(this.folder, `${role}.key`);
  }

  private get commonEnv(): Record<string, string> {
    return { PATH: process.env.PATH ?? '', HOME: this.folder, NODE_ENV: 'production' };
  }

  private newPart(name: string, app: string, env: Record<string, string>): Part {
    const script = join(ROOT, `apps/${app}/dist/bundle/main.mjs`);
    const logFile = join(this.folder, `${name.replace(' ', '-')}.log`);
    return new Part({ name, script, logFile, env: { ...this.commonEnv, ...env } }, (sentence) =>
      this.deaths.push(sentence),
    );
  }

  private async openReplica(number: number): Promise<void> {
    const url = new URL(this.databaseUrl);
    const databasePort = Number(url.port);
    const wire = await FaultProxy.open({ targets: () => [databasePort] });
    url.port = String(wire.port);
    const port = await anyFreePort();
    const part = this.newPart(`replica ${number}`, 'control-plane', {
      DATABASE_URL: url.href,
      MUSTER_PORT: String(port),
      MUSTER_BOOTSTRAP_ADMIN_KEY_FILE: this.keyFile('admin'),
      MUSTER_BOOTSTRAP_WORKER_KEY_FILE: this.keyFile('worker'),
      MUSTER_WORKER_TIMEOUT: `${WORKER_TIMEOUT_SECONDS}s`,
      MUSTER_OFFER_TTL: '4s',
    });
    this.replicas.push({ part, port, wire });
  }

  private async openAgent(name: string): Promise<void> {
    const stateDir = join(this.folder, `agent-${name}`);
    const disk = name === 'small' ? this.mountSmallDisk(stateDir) : null;
    mkdirSync(stateDir, { mode: 0o700, recursive: true });
    const wire = await FaultProxy.open({ targets: () => this.replicaPorts() });
    const part = this.newPart(`agent ${name}`, 'agent', {
      MUSTER_URL: `http://127.0.0.1:${wire.port}`,
      MUSTER_AGENT_KEY_FILE: this.keyFile('worker'),
      MUSTER_AGENT_NAME: name,
      MUSTER_AGENT_STATE_DIR: stateDir,
      MUSTER_AGENT_MONITOR_PORT: 'off',
      MUSTER_AGENT_SLOTS: String(SLOTS),
      MUSTER_AGENT_LABELS: `disk=${disk ? 'small' : 'large'}`,
      MUSTER_AGENT_CONNECT_TIMEOUT: '2s',
      MUSTER_AGENT_RETRY_INTERVAL: '200ms',
      MUSTER_AGENT_RETRY_MAX: '1s',
    });
    this.agents.push({ name, part, stateDir, attemptsDir: join(stateDir, 'attempts'), wire, disk });
    part.start();
  }

  private mountSmallDisk(folder: string): SmallDisk | null {
    const disk = SmallDisk.mount(folder);
    if (disk instanceof SmallDisk) return disk;
    this.noSmallDisk = disk.why;
    return null;
  }

  /** In turn, so that agents are spread. */
  private replicaPorts(): readonly number[] {
    this.turn += 1;
    const ports = this.replicas.map(({ port }) => port);
    return this.turn % 2 === 0 ? ports : ports.reverse();
  }
}

async function isReady({ part, port }: ReplicaSite): Promise<void> {
  const answers = async (): Promise<true | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok ? true : undefined;
  };
  await eventually(`${part.name} is ready`, answers, REST_MS);
}

/** Answers how many there were. */
function endMarked(marker: string): number {
  const found = processesMarked(marker).filter((pid) => pid !== process.pid);
  for (const pid of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  return found.length;
}
