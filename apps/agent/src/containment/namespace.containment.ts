import { readFileSync } from 'node:fs';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { basename } from 'node:path';
import {
  isAlive,
  readStat,
  signalIdentity,
  type ProcessIdentity,
  type ProcessStat,
} from '../supervisor/process-identity.js';
import { COOKIE_NAME, descendants, membersOf, type SharedScan } from '../supervisor/process-tree.js';
import { quote } from '../supervisor/run-script.js';
import type { ContainedTree, Containment, ContainmentPart, TreeLook, TreeSubject, TreeUsage } from './containment.js';
import { continueEverybody, sampleUsage, stopEverybody } from './tree-sample.js';

/**
 * A pid namespace per execution, made by bubblewrap. When its init is killed the kernel kills everybody inside, whatever
 * they did to their session or environment. Nothing but the process table is separate: no file is hidden.
 */
export class NamespaceContainment implements Containment {
  readonly rung = 'namespace';

  constructor(
    private readonly bubblewrapPath: string,
    private readonly scan: SharedScan,
  ) {}

  cgroupPathOf(): null {
    return null;
  }

  prepare(directory: AttemptDirectory): ContainmentPart {
    return {
      entersCgroup: false,
      wrapper: namespaceWrapper(this.bubblewrapPath),
      prologue: [`exec 3>${quote(directory.file('namespace'))}`],
      operations: [],
    };
  }

  tree(subject: TreeSubject): ContainedTree {
    return new NamespaceTree(subject, this.scan);
  }

  release(): void {
    // Nothing is kept between executions.
  }
}

/**
 * `--new-session` makes the init lead a group that the job's own process belongs to, so that a signal to that group
 * reaches the job; the init itself is deaf to all but KILL. `--die-with-parent` carries a KILL of the outer process, which
 * is all the warden can reach, to the inside; the outer's parent is a supervisor, so the agent's own death changes nothing.
 */
export function namespaceWrapper(bubblewrapPath: string): string[] {
  const view = ['--dev-bind', '/', '/', '--proc', '/proc'];
  return [
    bubblewrapPath,
    ...view,
    '--unshare-pid',
    '--new-session',
    '--die-with-parent',
    '--json-status-fd',
    '3',
    '--',
  ];
}

class NamespaceTree implements ContainedTree {
  readonly rung = 'namespace';
  readonly isProof = true;
  private knownInit: ProcessIdentity | null = null;

  constructor(
    private readonly subject: TreeSubject,
    private readonly scan: SharedScan,
  ) {}

  signal(signal: NodeJS.Signals): boolean {
    const init = this.init();
    return typeof init === 'object' && signalIdentity(init, signal, true);
  }

  /** Before the init is known the outer process is still making the namespace: then everybody with the cookie goes. */
  async killAll(): Promise<void> {
    const init = this.init();
    if (typeof init === 'object') signalIdentity(init, 'SIGKILL');
    if (init !== 'unknown') return;
    for (const one of await this.marked()) signalIdentity(one, 'SIGKILL');
  }

  async look(): Promise<TreeLook> {
    const init = this.init();
    if (typeof init === 'object' && isAlive(init)) return { isEmpty: false, processes: this.inside().length };
    const leader = this.subject.leader();
    if (leader && isAlive(leader)) return { isEmpty: false, processes: 1 };
    if (init !== 'unknown') return { isEmpty: true, processes: 0 };
    const { length } = await this.marked();
    return { isEmpty: length === 0, processes: length };
  }

  freeze(isWanted: () => boolean): Promise<void> {
    return stopEverybody(this.rung, async () => this.inside(), isWanted);
  }

  thaw(): Promise<void> {
    return continueEverybody(async () => this.inside());
  }

  usage(): TreeUsage {
    return sampleUsage(this.inside());
  }

  wasOutOfMemory(): boolean {
    return false;
  }

  cleanup(): readonly [] {
    // The namespace ends with its last process.
    return [];
  }

  /** Everybody but the init, which only collects the dead. */
  private inside(): ProcessStat[] {
    const init = this.init();
    return typeof init === 'object' ? descendants(init.pid).filter((one) => one.pid !== init.pid) : [];
  }

  private async marked(): Promise<ProcessStat[]> {
    return membersOf(await this.scan.fresh(), basename(this.subject.directory.path), null);
  }

  /**
   * `unknown` until bubblewrap has recorded it. The recorded pid may be somebody else's by now, so it counts only while
   * that process is the first of another namespace and carries this execution's cookie; otherwise the init, and with it
   * everybody inside, is `gone`. Once known, its start time speaks for it.
   */
  private init(): ProcessIdentity | 'unknown' | 'gone' {
    if (this.knownInit) return this.knownInit;
    const recorded = /"child-pid": (\d+)/.exec(readText(this.subject.directory.file('namespace')))?.[1];
    if (recorded === undefined) return 'unknown';
    const pid = Number(recorded);
    const stat = readStat(pid);
    if (stat === null || !/^NSpid:\s.*\s1$/m.test(readText(`/proc/${pid}/status`))) return 'gone';
    const cookie = `\0${COOKIE_NAME}=${basename(this.subject.directory.path)}\0`;
    if (!`\0${readText(`/proc/${pid}/environ`)}\0`.includes(cookie)) return 'gone';
    this.knownInit = { pid, startTicks: stat.startTicks };
    return this.knownInit;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
