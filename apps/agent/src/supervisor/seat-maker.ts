import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AttemptDirectory, madeOf } from './attempt-directory.js';
import type { FileLane } from './file-lane.js';
import type { FileOperation } from './file-thread.js';

export interface SeatMakerOptions {
  /** Holds the directories of executions that do not exist yet; beside those of executions, so that a rename moves one. */
  readonly readyDir: string;
  /** Holds at most `spares` emptied directories of executions that are over, to be used again. */
  readonly spareDir: string;
  readonly spares: number;
  readonly lane: FileLane;
  /** The prepared process enters the control group named after its seat. */
  readonly inCgroup: boolean;
  /** What a start needs in its directory and around it, whatever the job. */
  readonly ahead: (directory: AttemptDirectory) => readonly FileOperation[];
  /** The control group of a seat, whether it exists or not; null where there are none. */
  readonly groupPathOf: (directory: AttemptDirectory) => string | null;
  /** Resolves when nobody is left in that group, or after a while; `doesKill` whoever does not leave it. */
  readonly emptied: (groupPath: string, doesKill: boolean) => Promise<void>;
  /** Paths of all groups that earlier agents made, wherever they could make them; those of executions are among them. */
  readonly groupsLeft: () => Promise<readonly string[]>;
}

/** What an earlier agent left. */
export interface EarlierSeats {
  /** Of seats that nobody took. */
  readonly names: readonly string[];
  /** Paths of directories that were kept to be used again. */
  readonly spares: readonly string[];
  /** Control groups that belong to no execution: of these seats, or of nothing that can still be found. */
  readonly groups: readonly string[];
}

/**
 * Makes what can be made before the job is known: an execution's directory with its reserved files and its control group.
 * A seat that is taken becomes the execution's own; one that is not leaves no trace.
 */
export class SeatMaker {
  readonly inCgroup: boolean;
  /** Paths of directories to be used again, and how many of them are still being emptied. */
  private readonly spares: string[] = [];
  private emptying = 0;

  constructor(private readonly options: SeatMakerOptions) {
    this.inCgroup = options.inCgroup;
  }

  get readyDir(): string {
    return this.options.readyDir;
  }

  /** Where the files of this seat are until it is taken. */
  directoryOf(id: string): AttemptDirectory {
    return new AttemptDirectory(join(this.options.readyDir, id));
  }

  async make(id: string): Promise<void> {
    await this.options.lane.run(this.making(id, this.options.ahead(this.directoryOf(id))));
  }

  /** What makes the directory of a seat, with what a start needs in and around it. */
  making(id: string, ahead: readonly FileOperation[]): readonly FileOperation[] {
    return [madeOf(this.directoryOf(id), this.spares.pop() ?? null), ...ahead];
  }

  /** Removes the directory of an execution that is over; the next ones are made of what it leaves. */
  async reuse(directory: AttemptDirectory): Promise<void> {
    const { lane, spareDir, spares } = this.options;
    if (this.spares.length + this.emptying >= spares) return directory.retire(lane, null);
    const spare = join(spareDir, basename(directory.path));
    this.emptying += 1;
    try {
      await directory.retire(lane, spare);
      this.spares.push(spare);
    } finally {
      this.emptying -= 1;
    }
  }

  /** Removes what was made, for nobody or for an execution that never starts; safe to repeat. */
  async drop(id: string): Promise<void> {
    const directory = this.directoryOf(id);
    const path = this.options.groupPathOf(directory);
    if (path !== null) await this.removeGroup(path, true);
    await this.options.lane.run([{ kind: 'remove', path: directory.path }]);
  }

  /** Resolves to what an agent that was killed had made ahead; call it before the first seat is made. */
  async open(attemptsDir: string): Promise<EarlierSeats> {
    const { readyDir, spareDir, groupsLeft } = this.options;
    for (const path of [readyDir, spareDir]) await mkdir(path, { recursive: true, mode: 0o700 });
    const [names, spares, executions, groups] = await Promise.all([
      readdir(readyDir),
      readdir(spareDir),
      readdir(attemptsDir),
      groupsLeft(),
    ]);
    const orphans = groups.filter((path) => !executions.includes(basename(path)));
    return { names, spares: spares.map((name) => join(spareDir, name)), groups: orphans };
  }

  /** Removes what an earlier agent made. Its supervisors end by themselves, a moment after it. */
  async sweep({ names, spares, groups }: EarlierSeats): Promise<void> {
    await Promise.all(groups.map((path) => this.removeGroup(path, names.includes(basename(path)))));
    await Promise.all(names.map((name) => this.drop(name)));
    await Promise.all(spares.map((path) => this.options.lane.run([{ kind: 'remove', path }])));
  }

  /** Removes what was kept to be used again. Nobody may make a seat after it. */
  async close(): Promise<void> {
    await this.options.lane.run([{ kind: 'remove', path: this.options.spareDir }]);
  }

  private async removeGroup(path: string, doesKill: boolean): Promise<void> {
    await this.options.emptied(path, doesKill);
    await this.options.lane.run([{ kind: 'removeGroup', path }]);
  }
}

/** Sorts by nothing and means nothing: 20 characters that no two executions share. */
export const newExecutionId = (): string => `exe-${randomBytes(8).toString('hex')}`;
