import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SIGNAL_MERGE_MS, type Environment } from '@muster/runtime';
import { nextFreePort } from '../processes/free-port.js';
import type { HeldLock } from '../processes/lock-file.js';
import type { DataDirectory } from './data-directory.js';
import { externalDatabase, keepPostgres, type StackDatabase } from './database.js';
import type { StackPrograms } from './programs.js';
import { isPortTaken, keyIn, waitUntilReady } from './readiness.js';
import { endLeftover, identityFileOf, Service, type ServiceFailed } from './service.js';
import { agentEnvironment, controlPlaneEnvironment, urlFor, type StackSettings } from './settings.js';
import type { Stack, StackEnd, StackOptions, StackProgress, StackStep } from './stack-types.js';

/** The processes of one stack, from the first to the last. */
export class RunningStack {
  private database: StackDatabase | undefined;
  private controlPlane: Service | undefined;
  private agent: Service | undefined;
  private stopping: Promise<void> | undefined;
  private failure: { readonly error: unknown } | undefined;
  private resolveDone: (end: StackEnd) => void = () => undefined;
  private readonly done = new Promise<StackEnd>((resolve) => (this.resolveDone = resolve));

  constructor(
    private readonly options: StackOptions,
    private readonly settings: StackSettings,
    private readonly programs: StackPrograms,
    private readonly directory: DataDirectory,
    private readonly lock: HeldLock,
  ) {}

  async start(): Promise<Stack> {
    const hadAdminKey = existsSync(this.directory.adminKey);
    await this.recover();
    const database = await this.startDatabase();
    const url = await this.startControlPlane(database.url);
    await this.lock.describe({ url });
    this.startAgent(url);
    const adminKey = keyIn(this.directory.adminKey);
    return {
      url,
      dataDir: this.directory.root,
      adminKeyFile: this.directory.adminKey,
      adminKey,
      firstStart: !hadAdminKey && adminKey !== undefined,
      database: database.isEmbedded ? 'embedded' : 'external',
      databaseUrl: database.url,
      logDir: this.directory.logs,
      stop: ({ graceSeconds = 10 } = {}) => this.stop(graceSeconds),
      insist: () => void this.insist(),
      done: this.done,
    };
  }

  /** In the reverse order of the start. Each part is asked, waited for, and in the end made to go. */
  stop(graceSeconds: number): Promise<void> {
    this.stopping ??= this.stopAll(graceSeconds).finally(() => {
      this.resolveDone(this.failure ? { reason: 'failed', ...this.failure } : { reason: 'stopped' });
    });
    return this.stopping;
  }

  private async stopAll(graceSeconds: number): Promise<void> {
    this.agent?.expectEnd();
    this.controlPlane?.expectEnd();
    if (this.agent?.isDown)
      this.options.onNotice?.(
        'The agent was not running, so nobody could stop its jobs: they go on, and the next start takes them over.',
      );
    if (this.agent) {
      this.agent.send({ kind: 'stop', graceSeconds });
      if (!(await this.agent.waitForEnd((graceSeconds + 20) * 1_000))) await end(this.agent);
    }
    if (this.controlPlane) await end(this.controlPlane);
    try {
      await this.database?.stop();
    } finally {
      await this.lock.release();
    }
  }

  private async insist(): Promise<void> {
    // Twice, and far enough apart to count twice: the first may be the one that asks.
    for (let round = 0; round < 2 && this.agent?.isRunning; round += 1) {
      this.agent.signal('SIGINT');
      await delay(SIGNAL_MERGE_MS + 100);
    }
  }

  private fail(error: unknown): void {
    if (this.stopping) return;
    this.failure = { error };
    this.stop(0).catch((stopError: unknown) => this.options.onNotice?.(String(stopError)));
  }

  /** Services of a stack that was killed end by themselves; their port and state are ours once they have. */
  private async recover(): Promise<void> {
    const leftovers = ['agent', 'control plane'].map((name) => identityFileOf(this.directory.running, name));
    if (!leftovers.some((file) => existsSync(file))) return;
    const step = this.begin('recovery', 'the last stack was not stopped; waiting for what is left of it to end');
    await Promise.all(leftovers.map((file) => endLeftover(file, 15_000)));
    step.done('nothing is left of the last stack');
  }

  private async startDatabase(): Promise<StackDatabase> {
    const { databaseUrl, postgresPort } = this.settings;
    const step = this.begin('postgres', databaseUrl ? 'PostgreSQL of DATABASE_URL' : 'embedded PostgreSQL');
    this.database = databaseUrl
      ? externalDatabase(databaseUrl)
      : await keepPostgres({
          dataDir: this.directory.postgres,
          port: postgresPort,
          onProgress: step.doing,
          onRestart: (message) => this.options.onNotice?.(message),
          onGiveUp: (error) => this.fail(error),
          ...this.abortOption(),
        });
    step.done(this.database.isAdopted ? 'PostgreSQL was still running' : 'PostgreSQL is ready');
    return this.database;
  }

  private async startControlPlane(databaseUrl: string): Promise<string> {
    const step = this.begin('controlPlane', 'control plane');
    const { host, port: wanted } = this.settings;
    for (let first = wanted; ; first += 1) {
      const port = await nextFreePort(first, host);
      const url = urlFor(host, port);
      const service = this.service(
        'control plane',
        this.programs.controlPlane,
        controlPlaneEnvironment(this.settings, { databaseUrl, port, directory: this.directory }),
      );
      this.controlPlane = service;
      service.start();
      step.doing(`waiting for ${url}/health/ready`);
      try {
        await waitUntilReady({
          url,
          service,
          logFile: join(this.directory.logs, 'control-plane.log'),
          timeoutMs: this.options.readyTimeoutMs ?? 120_000,
          ...this.abortOption(),
        });
      } catch (error) {
        // Somebody took the port between our look and the service's start.
        if (isPortTaken(error) && first < wanted + 10) continue;
        throw error;
      }
      if (port !== wanted && wanted !== 0) this.options.onNotice?.(`Port ${wanted} is in use; using ${port}.`);
      service.keepAlive();
      step.done(`control plane is ready at ${url}`);
      return url;
    }
  }

  private startAgent(url: string): void {
    if (!existsSync(this.directory.workerKey)) {
      this.options.onNotice?.(
        `No local agent: there is no key in ${this.directory.workerKey}. Make one with: muster keys create --role worker`,
      );
      return;
    }
    const step = this.begin('agent', 'agent');
    this.agent = this.service(
      'agent',
      this.programs.agent,
      agentEnvironment(this.settings, { url, directory: this.directory }),
    );
    this.agent.start();
    this.agent.keepAlive();
    step.done('agent is started');
  }

  /** One worker less: jobs of other machines need the control plane all the same, whatever people did to this one. */
  private goOnWithoutAgent({ message }: ServiceFailed): void {
    const { agent, workerKey } = this.directory;
    this.options.onNotice?.(
      `${message}\n  Everything else goes on without it. To have it back, mend what its log says and start again. ` +
        `Where its worker was removed, delete ${agent} first; where its key was revoked: muster keys create --role worker > ${workerKey}`,
    );
  }

  private service(name: string, program: string, env: Environment): Service {
    return new Service({
      name,
      program,
      env,
      cwd: this.directory.root,
      logFile: join(this.directory.logs, `${name.replace(/\W+/g, '-')}.log`),
      identityFile: identityFileOf(this.directory.running, name),
      mayEnd: name === 'agent',
      onNotice: (message) => this.options.onNotice?.(message),
      onGiveUp: (error) => (name === 'agent' ? this.goOnWithoutAgent(error) : this.fail(error)),
    });
  }

  private begin(step: StackStep, text: string): { doing: (text: string) => void; done: (text: string) => void } {
    const begunAtMs = performance.now();
    const tell = (state: StackProgress['state'], words: string): void => {
      this.options.onProgress?.({ step, state, text: words, elapsedMs: performance.now() - begunAtMs });
    };
    tell('begun', text);
    return { doing: (words) => tell('doing', words), done: (words) => tell('done', words) };
  }

  private abortOption(): { signal?: AbortSignal } {
    return this.options.signal ? { signal: this.options.signal } : {};
  }
}

/** Asks, waits, insists. */
async function end(service: Service): Promise<void> {
  service.expectEnd();
  service.signal('SIGTERM');
  if (await service.waitForEnd(15_000)) return;
  service.signal('SIGKILL');
  await service.waitForEnd(10_000);
}
