/**
 * Many small file operations per job, off the event loop: one thread that does them in order, synchronously.
 *
 * A call of `fs/promises` wakes a pool thread and is woken by it; a job needs some twenty, which costs the agent more than
 * the work itself. Here a job costs a few messages, fewer the more there is to do, and a disk that stalls still stalls nobody but the jobs.
 */
import type * as FileSystem from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, type MessagePort } from 'node:worker_threads';

export type FileOperation =
  | { readonly kind: 'makeFolder'; readonly path: string; readonly mode: number }
  /** Fails when the file exists. */
  | { readonly kind: 'create'; readonly path: string; readonly content: string | Uint8Array }
  /** Into a file that is there: the kernel's, in a control group. Refusals are passed over, the limit is sampled then. */
  | { readonly kind: 'set'; readonly path: string; readonly content: string }
  /** Within one file system; fails when `to` holds anything. */
  | { readonly kind: 'move'; readonly path: string; readonly to: string }
  /**
   * With all that is in it: its folders, then the file `firstFile`, then the rest. What is gone already is fine, and folders
   * that a job closed are opened.
   */
  | { readonly kind: 'remove'; readonly path: string; readonly firstFile?: string }
  /** A control group with those below it; one that is still populated stays. */
  | { readonly kind: 'removeGroup'; readonly path: string };

interface Request {
  readonly id: number;
  readonly operations: readonly FileOperation[];
}

interface Reply {
  readonly id: number;
  readonly error: { readonly message: string; readonly code: string } | null;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** An operation the disk refused; `code` is the system's (ENOSPC, EEXIST). */
export class FileRefused extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
    this.name = 'FileRefused';
  }
}

export class FileLane {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  /** Asked for while the thread was busy; goes over in one message when it answers. */
  private queued: Request[] = [];
  private isBusy = false;
  private lastId = 0;

  /** Does the operations in order and stops at the first that fails. Lists are done in the order they were given. */
  run(operations: readonly FileOperation[]): Promise<void> {
    const id = ++this.lastId;
    this.queued.push({ id, operations });
    const done = new Promise<void>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.flush();
    return done;
  }

  /** After what was asked before it, or once `patienceMs` are over: then what was begun stays half done, and the rest rejects. */
  async close(patienceMs?: number): Promise<void> {
    const { worker } = this;
    if (this.waiting.size > 0) {
      const done = this.run([]).catch(() => undefined);
      await (patienceMs === undefined ? done : Promise.race([done, sleep(patienceMs, undefined, { ref: false })]));
    }
    await worker?.terminate();
  }

  private open(): Worker {
    const source = `(${lane.toString()})(require('node:fs'), require('node:worker_threads').parentPort)`;
    const worker = new Worker(source, { eval: true, name: 'fileLane' });
    worker.on('message', (replies: readonly Reply[]) => this.settle(replies));
    worker.on('error', (error) => this.lose(error));
    worker.on('exit', () => this.lose(new Error('The file thread ended.')));
    worker.unref();
    return worker;
  }

  private flush(): void {
    if (this.isBusy || this.queued.length === 0) return;
    const worker = (this.worker ??= this.open());
    // The thread keeps the process alive only while somebody waits for it.
    worker.ref();
    this.isBusy = true;
    worker.postMessage(this.queued);
    this.queued = [];
  }

  private settle(replies: readonly Reply[]): void {
    this.isBusy = false;
    for (const { id, error } of replies) {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) waiting?.reject(new FileRefused(error.message, error.code));
      else waiting?.resolve();
    }
    if (this.queued.length > 0) this.flush();
    else this.worker?.unref();
  }

  private lose(error: Error): void {
    this.worker = null;
    this.isBusy = false;
    this.queued = [];
    for (const waiting of this.waiting.values()) waiting.reject(error);
    this.waiting.clear();
  }
}

/** The thread. It is carried over as text, so it may use nothing but its arguments. */
function lane(fs: typeof FileSystem, port: Pick<MessagePort, 'on' | 'postMessage'>): void {
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch {
      // Passed over, as the operation promises.
    }
  };
  // Names are bytes to the kernel: as latin1 text they go back to it as they came, whatever a job called its files.
  const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');
  const codeOf = (problem: unknown): string =>
    problem instanceof Error && 'code' in problem ? String(problem.code) : 'unknown';
  const unlessGone = (work: () => void): void => {
    try {
      work();
    } catch (problem) {
      if (codeOf(problem) !== 'ENOENT') throw problem;
    }
  };
  const entriesOf = (path: string): FileSystem.Dirent[] =>
    fs.readdirSync(bytes(path), { withFileTypes: true, encoding: 'latin1' });
  // Folders first: what cannot be removed is in them, and then the files beside them are still whole.
  const sweep = (path: string, firstFile?: string): void => {
    const entries = entriesOf(path);
    for (const one of entries) if (one.isDirectory()) unlessGone(() => sweep(`${path}/${one.name}`));
    if (firstFile !== undefined) unlessGone(() => fs.unlinkSync(bytes(`${path}/${firstFile}`)));
    const files = entries.filter((one) => !one.isDirectory() && one.name !== firstFile);
    for (const { name } of files) unlessGone(() => fs.unlinkSync(bytes(`${path}/${name}`)));
    fs.rmdirSync(bytes(path));
  };
  /** Folders that a job closed to its own user are opened; the rest is left to the next try to complain about. */
  const openFolders = (path: string): void => {
    attempt(() => fs.chmodSync(bytes(path), 0o700));
    attempt(() => {
      for (const one of entriesOf(path)) if (one.isDirectory()) openFolders(`${path}/${one.name}`);
    });
  };
  const removeTree = (path: string, firstFile?: string, triesLeft = 3): void => {
    try {
      if (fs.lstatSync(bytes(path)).isDirectory()) sweep(path, firstFile);
      else fs.unlinkSync(bytes(path));
    } catch (problem) {
      const code = codeOf(problem);
      if (code === 'ENOENT') return;
      if (triesLeft === 0) throw problem;
      if (code === 'EACCES' || code === 'EPERM') openFolders(path);
      // Somebody still writes there.
      else if (code !== 'ENOTEMPTY') throw problem;
      removeTree(path, firstFile, triesLeft - 1);
    }
  };
  const removeGroup = (path: string): void => {
    const below = fs.readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const entry of below) attempt(() => removeGroup(`${path}/${entry.name}`));
    fs.rmdirSync(path);
  };
  const perform = (operation: FileOperation): void => {
    const { kind, path } = operation;
    if (kind === 'makeFolder') fs.mkdirSync(path, { mode: operation.mode });
    else if (kind === 'create') fs.writeFileSync(path, operation.content, { flag: 'wx', mode: 0o600 });
    else if (kind === 'move') fs.renameSync(path, operation.to);
    else if (kind === 'set') attempt(() => fs.writeFileSync(path, operation.content));
    else if (kind === 'remove') removeTree(Buffer.from(path).toString('latin1'), operation.firstFile);
    else attempt(() => removeGroup(path));
  };
  const answer = ({ id, operations }: Request): Reply => {
    try {
      for (const operation of operations) perform(operation);
      return { id, error: null };
    } catch (problem) {
      const message = problem instanceof Error ? problem.message : String(problem);
      return { id, error: { message, code: codeOf(problem) } };
    }
  };
  port.on('message', (requests: readonly Request[]) => port.postMessage(requests.map(answer)));
}
