/**
 * Finds the program a job names, before anything is started: behind `setsid` a missing program would only be "127 and a
 * line in the log". Says in a sentence why one cannot be run.
 */
import { constants } from 'node:fs';
import { access, open, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';

export type ResolvedProgram = { readonly path: string } | { readonly complaint: string };

/** A name without a slash is searched in `searchPath`; anything else is relative to `cwd`. */
export async function resolveProgram(name: string, searchPath: string, cwd: string): Promise<ResolvedProgram> {
  if (name === '') return { complaint: 'The command is empty: its first element names the program.' };
  if (name.includes('/')) return judge(name, isAbsolute(name) ? name : resolve(cwd, name));
  let denied: ResolvedProgram | null = null;
  for (const folder of searchPath.split(':')) {
    const path = join(folder === '' ? cwd : resolve(cwd, folder), name);
    const verdict = await judge(name, path);
    if ('path' in verdict) return verdict;
    if (!verdict.isMissing) denied ??= verdict;
  }
  if (denied) return denied;
  return { complaint: `The command "${name}" was not found; PATH on this worker is ${searchPath || '(empty)'}.` };
}

type Judgement = { readonly path: string } | { readonly complaint: string; readonly isMissing: boolean };

async function judge(name: string, path: string): Promise<Judgement> {
  const known = judged.get(path);
  if (known && performance.now() - known.atMs < TRUSTED_MS) return known.verdict;
  const found = await stat(path).catch(() => null);
  if (found === null) return { complaint: `The command "${name}" does not exist on this worker.`, isMissing: true };
  if (!found.isFile()) return { complaint: `The command "${name}" is not a file.`, isMissing: false };
  const key = `${found.dev}:${found.ino}:${found.mtimeMs}:${found.ctimeMs}:${found.size}`;
  const verdict = known?.key === key ? known.verdict : await judgeFile(name, path);
  if (judged.size >= JUDGED_MAX) judged.clear();
  judged.set(path, { key, verdict, atMs: performance.now() });
  return verdict;
}

/**
 * Verdicts by path, valid while the file is unchanged and for a moment without looking: most jobs of a worker run the same
 * few programs, many of them at once.
 */
const judged = new Map<string, { readonly key: string; readonly verdict: Judgement; readonly atMs: number }>();
const JUDGED_MAX = 256;
const TRUSTED_MS = 500;

async function judgeFile(name: string, path: string): Promise<Judgement> {
  try {
    await access(path, constants.X_OK);
  } catch {
    return { complaint: `The command "${name}" (${path}) is not executable by this worker's user.`, isMissing: false };
  }
  const complaint = await formatComplaint(name, path);
  return complaint === null ? { path } : { complaint, isMissing: false };
}

/** Execute-only programs cannot be looked into and are taken on trust. */
async function formatComplaint(name: string, path: string): Promise<string | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const start = buffer.subarray(0, bytesRead);
    if (start.subarray(0, 2).toString('latin1') === '#!') return await interpreterComplaint(name, start);
    if (start.subarray(0, 4).toString('latin1') === '\x7fELF') {
      if (isForMachine(start, process.arch) || (await runsForeignFormats())) return null;
      return `The command "${name}" (${path}) is made for another processor than this worker's (exec format error).`;
    }
    if (process.platform !== 'linux' || !start.includes(0) || (await runsForeignFormats())) return null;
    return `The command "${name}" (${path}) is not a program this worker can run (exec format error).`;
  } finally {
    await file.close();
  }
}

async function interpreterComplaint(name: string, start: Buffer): Promise<string | null> {
  const end = start.indexOf('\n');
  const interpreter =
    start
      .toString('utf8', 2, end < 0 ? start.length : end)
      .trim()
      .split(/[ \t]/, 1)[0] ?? '';
  const isThere = await access(interpreter, constants.X_OK).then(
    () => true,
    () => false,
  );
  return isThere
    ? null
    : `The command "${name}" names the interpreter "${interpreter}", which this worker does not have.`;
}

/** `e_machine` of the ELF header for the processors Node runs on. */
const ELF_MACHINES: Readonly<Record<string, readonly number[]>> = {
  x64: [62, 3],
  ia32: [3],
  arm64: [183, 40],
  arm: [40],
  riscv64: [243],
  ppc64: [21],
  s390x: [22],
  loong64: [258],
};

export function isForMachine(header: Buffer, arch: string): boolean {
  if (header.length < 20) return false;
  const isBigEndian = header[5] === 2;
  const machine = isBigEndian ? header.readUInt16BE(18) : header.readUInt16LE(18);
  return ELF_MACHINES[arch]?.includes(machine) ?? true;
}

/** True where the kernel was taught further formats (emulators): then only trying tells. */
async function runsForeignFormats(): Promise<boolean> {
  const names = await readdir('/proc/sys/fs/binfmt_misc').catch(() => []);
  return names.some((name) => name !== 'register' && name !== 'status');
}
