import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptId, AttemptRef, JobId, JobSpec, Offer } from '@muster/protocol';
import { eventually, FakeControlPlane, type FakeControlPlaneOptions } from '@muster/testing';

/** The agent as one file, made before the tests from these sources. */
export const AGENT_PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'test', 'agent.mjs');

export const KEY = 'wak_01TESTKEY0000000000000000000000000000';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built agent as a process of its own, with a message channel as a launcher has. */
export class AgentProcess {
  private readonly child: ChildProcess;
  private text = '';
  readonly ended: Promise<Ended>;

  constructor(env: Readonly<Record<string, string>>, program = AGENT_PROGRAM) {
    this.child = spawn(process.execPath, [program], {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'] ?? '', MUSTER_AGENT_MONITOR_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child.stdout?.on('data', (part: Buffer) => (this.text += part.toString()));
    this.child.stderr?.on('data', (part: Buffer) => (this.text += part.toString()));
    // Not `close`: it never comes once this side has closed the channel.
    const exited = new Promise<Ended>((resolve) =>
      this.child.once('exit', (code, signal) => resolve({ code, signal })),
    );
    const printed = [this.child.stdout, this.child.stderr].map((stream) => stream && once(stream, 'close'));
    this.ended = Promise.all([exited, ...printed]).then(([ended]) => ended);
  }

  /** Everything it printed so far. */
  get output(): string {
    return this.text;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  send(message: object): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  /** As a launcher that died. */
  disconnect(): void {
    this.child.disconnect();
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** One far end, one state directory, and the agents a test starts on it. `cleanUp` leaves no process behind. */
export class Bench {
  private readonly agents: AgentProcess[] = [];

  private constructor(
    readonly fake: FakeControlPlane,
    readonly stateDir: string,
  ) {}

  static async open(options: FakeControlPlaneOptions = {}): Promise<Bench> {
    const fake = await FakeControlPlane.start({ beatIntervalMs: 500, ...options });
    return new Bench(fake, await mkdtemp(join(tmpdir(), 'muster-agent-')));
  }

  start(env: Readonly<Record<string, string>> = {}, program = AGENT_PROGRAM): AgentProcess {
    const settings = {
      MUSTER_URL: this.fake.url,
      MUSTER_AGENT_KEY: KEY,
      MUSTER_AGENT_STATE_DIR: this.stateDir,
      MUSTER_AGENT_SLOTS: '4',
      MUSTER_AGENT_RETRY_INTERVAL: '200ms',
      MUSTER_AGENT_RETRY_MAX: '500ms',
      ...env,
    };
    const agent = new AgentProcess(settings, program);
    this.agents.push(agent);
    return agent;
  }

  /** Starts an agent and waits until its hello was answered. */
  async startConnected(env: Readonly<Record<string, string>> = {}, program = AGENT_PROGRAM): Promise<AgentProcess> {
    const hellosBefore = this.fake.hellos.length;
    const agent = this.start(env, program);
    await eventually('the agent says hello', () => {
      if (!agent.isAlive) throw new Error(`The agent ended: ${agent.output}`);
      return this.fake.hellos.length > hellosBefore && this.fake.connectedCount === 1;
    });
    return agent;
  }

  /** Shell that waits for `letGo`: such a job ends when the test wants it to, however slow the machine is. */
  get held(): string {
    return `until [ -e '${join(this.stateDir, 'let-go')}' ]; do sleep 0.05; done`;
  }

  /** Shell that tells `hasBegun`. That an attempt is reported as running says only that its agent may start it. */
  get begins(): string {
    return `touch '${join(this.stateDir, 'has-begun')}'`;
  }

  async hasBegun(): Promise<void> {
    await eventually('the job has begun', () => existsSync(join(this.stateDir, 'has-begun')));
  }

  async letGo(): Promise<void> {
    await writeFile(join(this.stateDir, 'let-go'), '');
  }

  async cleanUp(): Promise<void> {
    this.fake.faults = {};
    await this.fake.listen();
    for (const agent of this.agents) if (agent.isAlive) agent.signal('SIGKILL');
    await Promise.all(this.agents.map((agent) => agent.ended));
    // Jobs outlive their agent: the last one stops whatever is left.
    const left = await readdir(join(this.stateDir, 'attempts')).catch(() => []);
    if (left.length > 0) {
      const last = await this.startConnected();
      last.send({ kind: 'stop', graceSeconds: 0 });
      await last.ended;
    }
    await this.fake.stop();
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

let count = 0;

/** A shell script as an offer; every call is another attempt of another job. */
export function anOffer(shell: string, given: Partial<JobSpec> = {}): Offer & AttemptRef {
  count += 1;
  const body = String(count).padStart(26, '0');
  const spec: JobSpec = {
    name: `job ${count}`,
    run: { shell },
    env: {},
    labels: {},
    needs: {},
    limits: {},
    priority: 0,
    graceSeconds: 5,
    stopSignal: 'SIGTERM',
    retry: { onFailure: 0, onWorkerLost: 3, backoffSeconds: 1 },
    disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false },
    logs: { separate: false },
    ...given,
  };
  const attemptId = `att_${body}` as AttemptId;
  return { attemptId, epoch: 1, jobId: `job_${body}` as JobId, number: 1, spec, gpus: [], offerTtlMs: 15_000 };
}
