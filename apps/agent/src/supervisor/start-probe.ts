import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Absolute paths of the few programs this agent itself runs. */
export interface Tools {
  readonly shell: string;
  readonly setsid: string;
  readonly env: string;
  readonly sleep: string;
  /** bubblewrap; null when it is not installed. */
  readonly bubblewrap: string | null;
  /** What does for a job what `setsid` does, for less; null where only that works. */
  readonly newSession: string | null;
}

const USUAL_FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin'];

/** Throws a sentence naming what is missing: without a shell and `setsid` no job can be supervised outside the agent. */
export async function findTools(searchPath: string): Promise<Tools> {
  const folders = [...searchPath.split(':').filter((folder) => folder.startsWith('/')), ...USUAL_FOLDERS];
  const find = async (name: string): Promise<string | null> => {
    for (const folder of folders) {
      const path = join(folder, name);
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
    return null;
  };
  const need = async (name: string, from: string): Promise<string> => {
    const path = await find(name);
    if (path === null) throw new MissingTool(name, from);
    return path;
  };
  return {
    shell: await need('sh', 'any POSIX shell'),
    setsid: await need('setsid', 'util-linux or busybox'),
    env: await need('env', 'coreutils or busybox'),
    sleep: await need('sleep', 'coreutils or busybox'),
    bubblewrap: await find('bwrap'),
    newSession: null,
  };
}

/** A program the agent cannot work without is not installed. */
export class MissingTool extends Error {
  readonly code = 'missingTool';
  constructor(
    readonly tool: string,
    from: string,
  ) {
    super(`The program "${tool}" (${from}) was not found; the agent needs it to supervise jobs.`);
    this.name = 'MissingTool';
  }
}

/**
 * Whether this machine's shell tells the name of the signal that killed a foreground child, as dash does. Where it does
 * not, an end by signal and an exit code above 128 look alike and are reported as `likely`.
 */
export async function isSignalNamed(shellPath: string): Promise<boolean> {
  const script = '( exec "$0" -c \'kill -KILL $$\' ); exit 0';
  const result = await promisify(execFile)(shellPath, ['-c', script, shellPath], { timeout: 5_000 }).catch(() => null);
  return result !== null && /^[^:\n]+\n/.test(result.stderr);
}
