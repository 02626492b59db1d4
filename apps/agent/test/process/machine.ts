/** What this machine has, found out before the first test so that what cannot be proven is counted as skipped. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainmentRung } from '@muster/protocol';
import { cgroupBases } from '../../src/containment/probe.js';

/**
 * True where the machine has it. Where it has not, says so, and fails when the run demands everything: a test that proves
 * nothing must not look like one that does.
 */
export function machineHas(what: string, isThere: boolean): boolean {
  if (isThere) return true;
  if (process.env.MUSTER_TEST_REQUIRE === 'all')
    throw new Error(`This machine lacks ${what}, which MUSTER_TEST_REQUIRE=all demands.`);
  process.stderr.write(`not proven here: this machine lacks ${what}\n`);
  return false;
}

/** Whether `/bin/sh` says by which signal a child was killed, and nothing else, as dash does. */
export function shellNamesSignals(): boolean {
  const said = spawnSync('/bin/sh', ['-c', "( exec /bin/sh -c 'kill -KILL $$' ); exit 0"], { encoding: 'utf8' });
  return /^[^:\n]+\n/.test(said.stderr);
}

export function canContain(rung: ContainmentRung): boolean {
  if (rung === 'group') return true;
  return rung === 'namespace' ? canMakeNamespaces() : canMakeGroups();
}

function canMakeNamespaces(): boolean {
  const words = [
    '--dev-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--unshare-pid',
    '--new-session',
    '--die-with-parent',
    '--',
    'true',
  ];
  return spawnSync('bwrap', words, { stdio: 'ignore' }).status === 0;
}

/** Tries all that the agent needs: a group can be made, entered, frozen and killed. */
function canMakeGroups(): boolean {
  const bases = cgroupBases(readFileSync('/proc/self/mounts', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
  return bases.some((base) => {
    const path = join(base, `muster-test-${process.pid}-${Date.now()}`);
    try {
      mkdirSync(path);
    } catch {
      return false;
    }
    try {
      const entered = spawnSync('/bin/sh', ['-c', 'echo 0 >"$1/cgroup.procs"', 'sh', path], { stdio: 'ignore' });
      return entered.status === 0 && ['cgroup.kill', 'cgroup.freeze'].every((name) => existsSync(join(path, name)));
    } finally {
      rmdirSync(path);
    }
  });
}

/** Whether a small file system can be mounted, as root usually can. */
export function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'muster-mount-'));
  try {
    mountSmall(path);
    execFileSync('umount', [path]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(path);
  }
}

/** One mebibyte, in memory. */
export function mountSmall(path: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
}
