/** What the thread of a `FileLane` does, one operation after the other. */
import type * as FileSystem from 'node:fs';

export type FileOperation =
  | { readonly kind: 'makeFolder'; readonly path: string; readonly mode: number }
  /** Fails when the file exists. */
  | { readonly kind: 'create'; readonly path: string; readonly content: string | Uint8Array }
  /** A file with this in it, whether one was there or not, and perhaps with empty lines after it. */
  | { readonly kind: 'write'; readonly path: string; readonly content: string | Uint8Array }
  /** Into a file that is there: the kernel's, in a control group. Refusals are passed over, the limit is sampled then. */
  | { readonly kind: 'set'; readonly path: string; readonly content: string }
  /** Within one file system; fails when `to` holds anything. */
  | { readonly kind: 'move'; readonly path: string; readonly to: string }
  /**
   * With all that is in it: its folders, then the file `firstFile`, then the rest. What is gone already is fine, and folders
   * that a job closed are opened.
   */
  | { readonly kind: 'remove'; readonly path: string; readonly firstFile?: string }
  /**
   * Instead of `remove`: its folders go, then it is moved, and then all goes that is no file of `stock`; those are made what
   * they were. Is `remove` when something in it is not what it was.
   */
  | { readonly kind: 'keep'; readonly path: string; readonly firstFile: string; readonly to: string; readonly stock: FolderStock }
  /** A folder that was kept, from there to here; a new one with the files of `stock` when it is not there. */
  | { readonly kind: 'takeKept'; readonly from: string | null; readonly path: string; readonly stock: FolderStock }
  /** A control group with those below it; one that is still populated stays. */
  | { readonly kind: 'removeGroup'; readonly path: string };

/** Folders that are used again, because a file system takes long to make files where many were removed a moment ago. */
export interface FolderStock {
  readonly mode: number;
  /** Made with the folder and written anew, in place, before the folder is used again. */
  readonly reserved: readonly { readonly name: string; readonly content: string }[];
  /** Kept with the folder as they are: whoever uses it writes them before anybody may look. */
  readonly rewritten: readonly string[];
}

/** Answered in two messages, so that who waits is not kept waiting by those who do not. */
export interface FileRequests {
  readonly urgent: readonly FileRequest[];
  readonly later: readonly FileRequest[];
}

export interface FileRequest {
  readonly id: number;
  readonly operations: readonly FileOperation[];
}

export interface FileReply {
  readonly id: number;
  readonly error: { readonly message: string; readonly code: string } | null;
}

/** Where requests come from and replies go to. */
interface RequestPort {
  on(event: 'message', listener: (requests: FileRequests) => void): unknown;
  postMessage(replies: readonly FileReply[]): void;
}

/** How trees of files are removed. Carried over to the thread as text, so it may use nothing but its arguments. */
export function removing(fs: typeof FileSystem) {
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch {
      // Passed over, as the operation promises.
    }
  };
  // Names are bytes to the kernel: as latin1 text they go back to it as they came, whatever a job called its files.
  const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');
  const asText = (path: string): string => Buffer.from(path).toString('latin1');
  const codeOf = (problem: unknown): string =>
    typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : 'unknown';
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
  const sweep = (path: string, firstFile: string | null): void => {
    const entries = entriesOf(path);
    for (const one of entries) if (one.isDirectory()) unlessGone(() => sweep(`${path}/${one.name}`, null));
    if (firstFile !== null) unlessGone(() => fs.unlinkSync(bytes(`${path}/${firstFile}`)));
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
  /** A folder with nothing in it, as most jobs leave theirs, is removed without a look into it. */
  const isEmptyAndGone = (path: string): boolean => {
    try {
      fs.rmdirSync(bytes(path));
      return true;
    } catch (problem) {
      return codeOf(problem) === 'ENOENT';
    }
  };
  const removeTree = (path: string, firstFile: string | null, triesLeft = 3): void => {
    try {
      if (firstFile === null && isEmptyAndGone(path)) return;
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
    // The kernel shows dozens of files in each, which go with it, and few have groups below them.
    if (isEmptyAndGone(asText(path))) return;
    const below = fs.readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const entry of below) attempt(() => removeGroup(`${path}/${entry.name}`));
    fs.rmdirSync(path);
  };
  return { attempt, bytes, asText, codeOf, unlessGone, entriesOf, sweep, removeTree, removeGroup };
}

/** The thread, likewise. */
export function fileThread(
  fs: typeof FileSystem,
  port: RequestPort,
  { attempt, bytes, asText, codeOf, unlessGone, entriesOf, sweep, removeTree, removeGroup }: ReturnType<typeof removing>,
): void {
  const { O_CREAT, O_WRONLY } = fs.constants;
  /** Far more than what is written over: not worth to be filled up. */
  const fillBytesMax = 16_384;
  /**
   * Over what is there, filled up with newlines to the length it had: a file that is cut waits for a disk that is just
   * writing it, and one that is emptied is on the disk before it is closed.
   */
  const writeInPlace = (path: Buffer | string, content: string | Uint8Array, flags: number): void => {
    const file = fs.openSync(path, flags, 0o600);
    try {
      const text = Buffer.from(content);
      const excess = fs.fstatSync(file).size - text.length;
      const whole = excess > 0 && excess <= fillBytesMax ? Buffer.concat([text, Buffer.alloc(excess, '\n')]) : text;
      for (let done = 0; done < whole.length; ) done += fs.writeSync(file, whole, done, whole.length - done, done);
      if (excess > fillBytesMax) fs.ftruncateSync(file, whole.length);
    } finally {
      fs.closeSync(file);
    }
  };
  /** Of a folder that nobody else knows any more: it is as new, or an error tells that it cannot be. */
  const renew = (path: string, entries: readonly FileSystem.Dirent[], stock: FolderStock): void => {
    const names = [...stock.reserved.map(({ name }) => name), ...stock.rewritten];
    const stays = entries.filter((one) => one.isFile() && names.includes(one.name));
    for (const one of entries) {
      if (!one.isDirectory() && !stays.includes(one)) unlessGone(() => fs.unlinkSync(bytes(`${path}/${one.name}`)));
    }
    for (const { name, content } of stock.reserved) writeInPlace(bytes(`${path}/${name}`), content, O_WRONLY);
    fs.chmodSync(bytes(path), stock.mode);
  };
  const keep = (path: string, firstFile: string, to: string, stock: FolderStock): void => {
    try {
      const entries = entriesOf(asText(path));
      for (const one of entries) if (one.isDirectory()) unlessGone(() => sweep(`${asText(path)}/${one.name}`, null));
      fs.renameSync(path, to);
      renew(asText(to), entries, stock);
    } catch {
      // Both are tried, and what cannot be removed is told: nobody may take it for a folder that is as new.
      try {
        removeTree(asText(to), null);
      } finally {
        removeTree(asText(path), firstFile);
      }
    }
  };
  const takeKept = (from: string | null, path: string, stock: FolderStock): void => {
    try {
      if (from !== null) return fs.renameSync(from, path);
    } catch {
      // Somebody took it away: a new one does as well.
    }
    fs.mkdirSync(path, { mode: stock.mode });
    for (const file of stock.reserved) {
      fs.writeFileSync(`${path}/${file.name}`, file.content, { flag: 'wx', mode: 0o600 });
    }
  };
  const perform = (operation: FileOperation): void => {
    const { kind, path } = operation;
    if (kind === 'makeFolder') fs.mkdirSync(path, { mode: operation.mode });
    else if (kind === 'create') fs.writeFileSync(path, operation.content, { flag: 'wx', mode: 0o600 });
    else if (kind === 'write') writeInPlace(path, operation.content, O_WRONLY | O_CREAT);
    else if (kind === 'keep') keep(path, operation.firstFile, operation.to, operation.stock);
    else if (kind === 'takeKept') takeKept(operation.from, path, operation.stock);
    else if (kind === 'move') fs.renameSync(path, operation.to);
    else if (kind === 'set') attempt(() => fs.writeFileSync(path, operation.content));
    else if (kind === 'remove') removeTree(asText(path), operation.firstFile ?? null);
    else attempt(() => removeGroup(path));
  };
  const answer = ({ id, operations }: FileRequest): FileReply => {
    try {
      for (const operation of operations) perform(operation);
      return { id, error: null };
    } catch (problem) {
      const message = problem instanceof Error ? problem.message : String(problem);
      return { id, error: { message, code: codeOf(problem) } };
    }
  };
  port.on('message', ({ urgent, later }: FileRequests) => {
    for (const requests of [urgent, later]) if (requests.length > 0) port.postMessage(requests.map(answer));
  });
}
