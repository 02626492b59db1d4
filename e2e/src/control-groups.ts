/** The control groups an agent makes for its executions, found without asking it. */
import { createHash } from 'node:crypto';
import { readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { readText } from './processes.js';

const EMPTIED_WITHIN_MS = 20_000;

/**
 * The folder of groups that the agent on this state directory keeps, one for each place where it may: none before its first
 * start, after it was stopped in order, and where it contains its jobs in other ways.
 */
export function controlGroupRootsOf(stateDir: string): readonly string[] {
  const name = `muster-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`;
  return placesOfGroups()
    .map((place) => join(place, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}

/** Names of this agent's groups: those of the executions it has or prepares. */
export function controlGroupsOf(stateDir: string): readonly string[] {
  return controlGroupRootsOf(stateDir).flatMap(groupsIn);
}

/**
 * Removes what an agent left that was killed, and ends whoever is still in it. Only for an agent that will not be started
 * again.
 */
export async function removeControlGroups(stateDir: string): Promise<void> {
  const removed = (): true | undefined => (controlGroupRootsOf(stateDir).every(isRemoved) ? true : undefined);
  await eventually(`the control groups of ${stateDir} are removed`, removed, EMPTIED_WITHIN_MS);
}

function isRemoved(root: string): boolean {
  try {
    for (const name of groupsIn(root)) {
      writeFileSync(join(root, name, 'cgroup.kill'), '1');
      rmdirSync(join(root, name));
    }
    rmdirSync(root);
    return true;
  } catch {
    // Whoever was just killed needs a moment to leave.
    return false;
  }
}

function groupsIn(root: string): readonly string[] {
  try {
    const entries = readdirSync(root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    // Its agent removed it meanwhile.
    return [];
  }
}

/** Below our own group, as that is also the agent's, and at the top. */
function placesOfGroups(): readonly string[] {
  const top = /^\S+ (\S+) cgroup2 /m.exec(readText('/proc/self/mounts'))?.[1];
  if (top === undefined) return [];
  const own = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup'))?.[1] ?? '/';
  return own === '/' || own.startsWith('/..') ? [top] : [join(top, own), top];
}
