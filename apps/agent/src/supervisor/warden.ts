/**
 * The dead-man timer of `exclusive` jobs: a small shell loop that outlives the agent and kills what is past its deadline.
 *
 * A deadline is a file of one line, `SECONDS CGROUP`: seconds on the boot clock, and the cgroup's path or `-`. Granularity
 * is a second. Only the newest warden of a state directory works; an older one ends when it sees another's token.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@muster/runtime';
import type { AttemptDirectory } from './attempt-directory.js';
import { readUptimeSeconds } from './process-identity.js';
import { installScript } from './slot-supervisor.js';

/** `$1` attempts folder, `$2` token file, `$3` token. Ends after ten minutes without a deadline; the agent starts it again. */
export const WARDEN_SCRIPT = `read -r boot </proc/sys/kernel/random/boot_id || exit 70
idle=0
while [ "$idle" -lt 600 ]; do
  read -r token <"$2" && [ "$token" = "$3" ] || exit 0
  read -r up _ </proc/uptime; now=\${up%.*}; idle=$((idle + 1))
  for d in "$1"/*; do
    [ -f "$d/deadline" ] || continue
    idle=0
    read -r dl group <"$d/deadline" && [ "$now" -ge "$dl" ] || continue
    { read -r _ b _ && read -r _ p s _; } <"$d/ident" || continue
    [ "$b" = "$boot" ] || continue
    { read -r l </proc/"$p"/stat; } 2>/dev/null || l=
    a1=$1 a2=$2 a3=$3; set -- \${l##*) }; alive=\${20-}; set -- "$a1" "$a2" "$a3"
    if [ "$group" != - ] && [ -f "$group/cgroup.kill" ]; then
      read -r _ populated <"$group/cgroup.events"
      [ "$populated" = 1 ] || continue
      [ -e "$d/overdue" ] || echo "$up" >"$d/overdue"
      echo 1 >"$group/cgroup.kill"
    elif [ "$alive" = "$s" ]; then
      [ -e "$d/overdue" ] || echo "$up" >"$d/overdue"
      kill -KILL "-$p" 2>/dev/null || kill -KILL "$p"
    fi
  done
  sleep 1
done
`;

export interface WardenOptions {
  readonly stateDir: string;
  readonly attemptsDir: string;
  readonly shellPath: string;
  readonly sleepFolder: string;
}

export class Warden {
  private child: ChildProcess | null = null;
  private starting: Promise<void> | null = null;

  constructor(private readonly options: WardenOptions) {}

  /** Starts the loop unless it runs; idempotent. */
  ensure(): Promise<void> {
    if (this.child) return Promise.resolve();
    this.starting ??= this.start().finally(() => {
      this.starting = null;
    });
    return this.starting;
  }

  /** Lets the loop live on without the agent. */
  release(): void {
    this.child?.unref();
    this.child = null;
  }

  private async start(): Promise<void> {
    const { stateDir, attemptsDir, shellPath, sleepFolder } = this.options;
    const script = await installScript(stateDir, 'warden.sh', WARDEN_SCRIPT);
    const token = randomBytes(12).toString('hex');
    const tokenFile = join(stateDir, 'warden.token');
    await writeFile(`${tokenFile}.new`, `${token}\n`, { mode: 0o600 });
    await rename(`${tokenFile}.new`, tokenFile);
    const log = openSync(join(stateDir, 'supervisors.log'), 'a', 0o600);
    const child = spawn(shellPath, [script, attemptsDir, tokenFile, token], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: { PATH: sleepFolder },
    });
    closeSync(log);
    child.unref();
    this.child = child;
    const forget = (): void => {
      if (this.child === child) this.child = null;
    };
    child.once('error', forget);
    child.once('exit', forget);
  }
}

/**
 * Moves the deadline to the moment `atMs` of this clock; rounds up to the warden's whole second. What is left is taken only
 * here: a machine that stood still since somebody counted would move the deadline by as much.
 */
export async function writeDeadline(
  directory: AttemptDirectory,
  atMs: number,
  clock: Pick<Clock, 'monotonicMs'>,
  cgroup: string | null,
): Promise<void> {
  const seconds = Math.ceil(readUptimeSeconds() + (atMs - clock.monotonicMs()) / 1_000);
  const path = directory.file('deadline');
  await writeFile(`${path}.new`, `${seconds} ${cgroup ?? '-'}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
