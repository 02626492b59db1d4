import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TIMES } from '@muster/protocol';
import { probeContainment } from '../../src/containment/probe.js';
import type { ContainedTree, Containment, TreeSubject } from '../../src/containment/containment.js';
import { ProcessExecutionManager } from '../../src/execution/execution-manager.js';
import type { ExecutionEnd } from '../../src/execution/execution-types.js';
import { SharedScan } from '../../src/supervisor/process-tree.js';
import { findTools, isSignalNamed } from '../../src/supervisor/start-probe.js';
import { anOffer, aStateDir, clock, eventually, removeStateDir, testLogger } from '../process/manager-harness.js';
import { MarkedFolder } from './marked-folder.js';

jest.setTimeout(180_000);

/** Stands for a process that waits for a device and hears not even KILL, which no test can make: killing does nothing. */
class DeafContainment implements Containment {
  readonly rung = 'group';
  isDeaf = true;

  constructor(private readonly inner: Containment) {}

  cgroupPathOf = (): null => null;
  prepare: Containment['prepare'] = (...args) => this.inner.prepare(...args);
  release = (): void => this.inner.release();

  tree(subject: TreeSubject): ContainedTree {
    const tree = this.inner.tree(subject);
    const killAll = async (): Promise<void> => (this.isDeaf ? undefined : tree.killAll());
    return new Proxy(tree, {
      get: (target, name) => {
        if (name === 'killAll') return killAll;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

describe('a job that is seen to live on after KILL', () => {
  const times: { unkillableAfterMs: number } = TIMES;
  const patienceMs = times.unkillableAfterMs;
  const stateDir = aStateDir();
  let folder: MarkedFolder;
  let deaf: DeafContainment;
  let manager: ProcessExecutionManager;
  beforeAll(async () => {
    times.unkillableAfterMs = 1_000;
    folder = new MarkedFolder();
    const attemptsDir = join(stateDir, 'attempts');
    mkdirSync(attemptsDir, { mode: 0o700 });
    const tools = await findTools(process.env.PATH ?? '');
    const probe = await probeContainment(stateDir, tools, new SharedScan());
    if (!probe.rungs.group) throw new Error('The rung "group" is always there.');
    deaf = new DeafContainment(probe.rungs.group);
    const options = { stateDir, slots: 2, logger: testLogger, clock, environment: process.env };
    const isNamed = await isSignalNamed(tools.shell);
    const probed = { ...probe, rungs: { group: deaf } };
    manager = new ProcessExecutionManager(options, attemptsDir, tools, probed, 'group', isNamed);
    await manager.open();
  });
  afterAll(async () => {
    times.unkillableAfterMs = patienceMs;
    await folder.destroy();
    await manager.close();
    removeStateDir(stateDir);
  });

  it('ends as unkillable and keeps its slot, and gives it back once its processes are gone', async () => {
    const ends: ExecutionEnd[] = [];
    manager.on('ended', (view) => ends.push(view.end));
    const executionId = await manager.accept(anOffer({ run: { command: folder.command('starts-a-session', 'leaves') } }));
    await manager.start(executionId);
    await eventually('it beats', () => (folder.beats('starts-a-session') > 0 ? true : null));
    folder.letThemLeave();

    const end = await eventually('the end', () => ends[0] ?? null);
    expect(end).toMatchObject({ outcome: 'unkillable', containment: 'group' });
    expect(end.leftovers).toBeGreaterThan(0);
    expect(manager.slots()).toEqual({ total: 2, free: 1, quarantined: 1 });

    // Told, acknowledged and forgotten: that frees nothing.
    await manager.discard(executionId);
    await manager.accept(anOffer());
    await expect(manager.accept(anOffer())).rejects.toThrow('slot');
    expect(folder.processes().length).toBeGreaterThan(0);

    await folder.killEverybody();
    await eventually('nobody is quarantined', () => (manager.slots().quarantined === 0 ? true : null));
    expect(manager.slots().free).toBe(1);
  });
});
