/** Finds out what this machine can contain by doing it: a small tree is started and killed on every rung. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ContainmentRung, Inventory } from '@muster/protocol';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { doHere } from '../supervisor/file-lane.js';
import { readStat } from '../supervisor/process-identity.js';
import { COOKIE_NAME, type SharedScan } from '../supervisor/process-tree.js';
import type { Tools } from '../supervisor/start-probe.js';
import { CgroupContainment, write } from './cgroup.containment.js';
import type { ContainedTree, Containment } from './containment.js';
import { GroupContainment } from './group.containment.js';
import { NamespaceContainment, namespaceWrapper } from './namespace.containment.js';
import { until } from './settle-loop.js';

/** Everything that worked, and why the rest did not. */
export interface ContainmentProbe {
  readonly rungs: Readonly<Partial<Record<ContainmentRung, Containment>>>;
  /** In the shape of the worker's inventory. */
  readonly report: Inventory['containment'];
  /** Limits the kernel itself enforces here. */
  readonly hardLimits: ReadonlySet<'memory' | 'cpu'>;
  readonly cgroupRoot: string;
}

/** The cheapest rung that proves a tree empty comes first. */
const BY_PREFERENCE: readonly ContainmentRung[] = ['cgroup', 'namespace', 'group'];

export async function probeContainment(stateDir: string, tools: Tools, scan: SharedScan): Promise<ContainmentProbe> {
  const scratch = mkdtempSync(join(stateDir, 'probe-'));
  try {
    const [cgroup, namespace] = await Promise.all([
      probeCgroup(stateDir, scratch, tools),
      probeNamespace(scratch, tools, scan),
    ]);
    const rungs: Partial<Record<ContainmentRung, Containment>> = { group: new GroupContainment(scan) };
    if (cgroup.containment) rungs.cgroup = cgroup.containment;
    if (namespace.containment) rungs.namespace = namespace.containment;
    const available = BY_PREFERENCE.filter((rung) => rungs[rung] !== undefined);
    return {
      rungs,
      report: { default: available[0] ?? 'group', available, notes: [...cgroup.notes, ...namespace.notes, GROUP_NOTE] },
      hardLimits: cgroup.hardLimits,
      cgroupRoot: cgroup.containment?.root ?? '',
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const GROUP_NOTE = 'group: a process that leaves session, parents and environment behind is not found';

interface CgroupProbe {
  readonly containment: CgroupContainment | null;
  readonly hardLimits: ReadonlySet<'memory' | 'cpu'>;
  readonly notes: readonly string[];
}

async function probeCgroup(stateDir: string, scratch: string, tools: Tools): Promise<CgroupProbe> {
  const none = (note: string): CgroupProbe => ({
    containment: null,
    hardLimits: new Set(),
    notes: [`cgroup: ${note}`],
  });
  const bases = basesHere();
  if (bases.length === 0) return none('no version 2 hierarchy is mounted');
  let note = '';
  for (const base of bases) {
    const root = join(base, cgroupNameOf(stateDir));
    try {
      mkdirSync(root, { recursive: true });
    } catch (error) {
      note = `${base} is not writable (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'})`;
      continue;
    }
    const hardLimits = enableControllers(base, root);
    const containment = new CgroupContainment(root, hardLimits);
    const complaint = await tryCgroup(containment, scratch, tools);
    if (complaint === null) return { containment, hardLimits, notes: [`cgroup: version 2 at ${base}`] };
    containment.release();
    note = complaint;
  }
  return none(note);
}

/** Where an agent of this state directory that was started like this one may have made its groups. */
export const cgroupFoldersOf = (stateDir: string): string[] =>
  basesHere().map((base) => join(base, cgroupNameOf(stateDir)));

const basesHere = (): string[] => cgroupBases(readText('/proc/self/mounts'), readText('/proc/self/cgroup'));

/** One folder of groups per state directory, found again by the next agent on it. */
export const cgroupNameOf = (stateDir: string): string =>
  `muster-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`;

/** Where groups may be made: below the agent's own group first (delegation), then at the top of the hierarchy. */
export function cgroupBases(mounts: string, ownGroups: string): string[] {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  if (mount === undefined) return [];
  const own = /^0::(\/.*)$/m.exec(ownGroups)?.[1] ?? '/';
  return own === '/' || own.startsWith('/..') ? [mount] : [join(mount, own), mount];
}

/** Works where the hierarchy lets limits be handed down without moving other processes; elsewhere memory is sampled. */
function enableControllers(base: string, root: string): Set<'memory' | 'cpu'> {
  const enabled = new Set<'memory' | 'cpu'>();
  for (const controller of ['memory', 'cpu'] as const) {
    write(base, 'cgroup.subtree_control', `+${controller}`);
    if (write(root, 'cgroup.subtree_control', `+${controller}`)) enabled.add(controller);
  }
  return enabled;
}

async function tryCgroup(containment: CgroupContainment, scratch: string, tools: Tools): Promise<string | null> {
  const directory = new AttemptDirectory(join(scratch, `probe-cgroup-${process.pid}`));
  mkdirSync(directory.path);
  mkdirSync(containment.cgroupPathOf(directory));
  const script = `echo 0 >"$1/cgroup.procs" || exit 1; ${smallTree(tools)}`;
  return withTree(
    containment,
    directory,
    [tools.shell, '-c', script, 'sh', containment.cgroupPathOf(directory)],
    async (tree, child) => {
      if (!(await until(async () => (await tree.look()).processes >= 2, PROBE_MS)))
        return 'processes cannot be moved into a group';
      await tree.freeze(() => true);
      await tree.killAll();
      if (!(await until(async () => (await tree.look()).isEmpty, PROBE_MS)))
        return 'a killed group did not become empty';
      return child.exitCode === 1 ? 'processes cannot be moved into a group' : null;
    },
  );
}

interface NamespaceProbe {
  readonly containment: NamespaceContainment | null;
  readonly notes: readonly string[];
}

async function probeNamespace(scratch: string, tools: Tools, scan: SharedScan): Promise<NamespaceProbe> {
  if (tools.bubblewrap === null)
    return { containment: null, notes: ['namespace: bubblewrap (bwrap) is not installed'] };
  const containment = new NamespaceContainment(tools.bubblewrap, scan);
  const directory = new AttemptDirectory(join(scratch, `probe-namespace-${process.pid}`));
  mkdirSync(directory.path);
  const { prologue } = containment.prepare(directory);
  const words = [...namespaceWrapper(tools.bubblewrap), tools.shell, '-c', smallTree(tools)];
  const script = `${prologue.join('\n')}\nexec "$@"`;
  const complaint = await withTree(
    containment,
    directory,
    [tools.shell, '-c', script, 'sh', ...words],
    async (tree, child) => {
      const isUp = await until(async () => child.exitCode !== null || (await tree.look()).processes >= 2, PROBE_MS);
      if (!isUp || child.exitCode !== null) return 'bubblewrap cannot make a pid namespace here';
      await tree.killAll();
      return (await until(async () => (await tree.look()).isEmpty, PROBE_MS))
        ? null
        : 'a killed namespace did not become empty';
    },
  );
  if (complaint !== null) return { containment: null, notes: [`namespace: ${complaint}`] };
  return { containment, notes: ['namespace: bubblewrap; an exit code above 128 may be a signal'] };
}

const PROBE_MS = 5_000;

/** Two processes, one of which left the session of the other. */
const smallTree = (tools: Tools): string => `${tools.setsid} ${tools.sleep} 60 & exec ${tools.sleep} 60`;

async function withTree(
  containment: Containment,
  directory: AttemptDirectory,
  words: readonly string[],
  check: (tree: ContainedTree, child: ChildProcess) => Promise<string | null>,
): Promise<string | null> {
  const [program = '', ...rest] = words;
  const env = { [COOKIE_NAME]: basename(directory.path) };
  const child = spawn(program, rest, { stdio: 'ignore', detached: true, env, cwd: '/' });
  child.on('error', () => undefined);
  const stat = child.pid === undefined ? null : readStat(child.pid);
  const tree = containment.tree({ directory, cgroupPath: null, startedHere: true, leader: () => stat });
  try {
    return await check(tree, child);
  } catch (error) {
    return error instanceof Error ? error.message : 'the probe failed';
  } finally {
    await tree.killAll();
    child.kill('SIGKILL');
    await until(async () => (await tree.look()).isEmpty, PROBE_MS);
    doHere(tree.cleanup());
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
