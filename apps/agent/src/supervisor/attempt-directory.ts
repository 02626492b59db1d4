/**
 * The directory of one execution: the agent's journal and the supervisor's mailbox. Every text in it has one writer and
 * one parser; the parsers are here and pure, and say "not there yet" to anything that is not whole.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileLane } from './file-lane.js';
import type { FileOperation, FolderStock } from './file-thread.js';
import { TICKS_PER_SECOND, type ProcessIdentity } from './process-identity.js';
import { STATUS_BYTES } from './slot-script.js';

/** Names of the files, with their writer. */
export const ATTEMPT_FILES = {
  /** Agent: what is to run and for whom; rewritten whole when the execution is re-bound. */
  intent: 'intent.json',
  /** Agent: the shell text that becomes the job. */
  run: 'run',
  /** Agent reserves it, supervisor writes the end into it. */
  status: 'status',
  /** Supervisor: the claim; job's process: its identity. */
  ident: 'ident',
  /** A recovering agent, when it was the first to make the output: the job must never run. */
  go: 'go',
  /** Job's process: exec never happened. */
  noexec: 'noexec',
  /** Supervisor: how many processes outlived the main one (cgroup only). */
  leftovers: 'leftovers',
  /** Agent: why the job was asked to end, before the first signal. */
  stop: 'stop.json',
  /** Agent: frozen time, so that a run limit survives a restart. */
  pause: 'pause.json',
  /** Agent: how it ended, once everything about it is known. */
  end: 'end.json',
  /** Agent: when the warden kills. */
  deadline: 'deadline',
  /** Warden: it killed. */
  overdue: 'overdue',
  /** bubblewrap: pid of the namespace's init. */
  namespace: 'namespace.json',
  /** Job's process or a recovering agent, whoever is first: it decides whether the job runs. */
  output: 'out.log',
  stdout: 'stdout.log',
  stderr: 'stderr.log',
  metrics: 'metrics.jsonl',
  progress: 'progress.txt',
  result: 'result.json',
  workspace: 'work',
} as const;
export type AttemptFile = keyof typeof ATTEMPT_FILES;

/** What is put down with an execution that is accepted. */
export interface StartFiles {
  /** Makes the directory; empty when it was made ahead. */
  readonly making: readonly FileOperation[];
  readonly intent: string;
  readonly runScript: Uint8Array;
  /** What its start needs besides. */
  readonly others: readonly FileOperation[];
}

export class AttemptDirectory {
  constructor(
    /** Absolute path; its last part is the execution's id. */
    readonly path: string,
  ) {}

  file(name: AttemptFile): string {
    return join(this.path, ATTEMPT_FILES[name]);
  }

  /**
   * Makes it, readable by its owner only, with the intent in it and all else that a start needs. Fails when it exists: an id
   * is never used twice. An intent cut off by a crash is none; nothing was promised yet.
   */
  async create(lane: FileLane, intent: string, others: readonly FileOperation[] = []): Promise<void> {
    await lane.run([
      { kind: 'makeFolder', path: this.path, mode: FOLDER_MODE },
      { kind: 'create', path: this.file('intent'), content: intent },
      ...others,
    ]);
  }

  /**
   * The same by way of a directory that nobody looks into, made by `making` or ahead: it comes here whole. It may hold what
   * an earlier execution had in it, so intent and run script are written before.
   */
  async take(lane: FileLane, madeAhead: AttemptDirectory, start: StartFiles): Promise<void> {
    await lane.run([
      ...start.making,
      { kind: 'write', path: madeAhead.file('intent'), content: start.intent },
      madeAhead.written(start.runScript),
      { kind: 'move', path: madeAhead.path, to: this.path },
      ...start.others,
    ]);
  }

  /** Puts the run script there, whether one was there or not. */
  written(runScript: Uint8Array): FileOperation {
    return { kind: 'write', path: this.file('run'), content: runScript };
  }

  /**
   * Removes it with all that is in it; whatever is gone already is fine. What a job left goes first: when that cannot be
   * removed the journal stays whole. Then the intent: a journal that is half gone by a crash is none, and tells no tales.
   */
  async remove(lane: FileLane): Promise<void> {
    await lane.run([{ kind: 'remove', path: this.path, firstFile: ATTEMPT_FILES.intent }]);
  }

  /** The same with nobody waiting; what it was made of is kept as `spare`, if it can be. */
  async retire(lane: FileLane, spare: string | null): Promise<void> {
    const whole = { path: this.path, firstFile: ATTEMPT_FILES.intent };
    await lane.runLater([
      spare === null ? { kind: 'remove', ...whole } : { kind: 'keep', ...whole, to: spare, stock: STOCK },
    ]);
  }

  /** Null also for an end that is not this execution's. */
  readStatus(): ExitStatus | null {
    const status = parseStatus(readStart(this.file('status'), 512));
    return status !== null && isOwnStatus(status, this.readIdent()) ? status : null;
  }

  readIdent(): Ident {
    return parseIdent(readStart(this.file('ident'), 512));
  }

  has(name: AttemptFile): boolean {
    return statSync(this.file(name), { throwIfNoEntry: false }) !== undefined;
  }

  /** `agent` when this or an earlier agent forbade the start, `job` when the job's process was first. */
  readGo(): 'agent' | 'job' | null {
    // From before the output decided a job's process made it, too, and wrote nothing into it.
    if (this.has('go')) return readStart(this.file('go'), 16) === GO_OF_AGENT ? 'agent' : 'job';
    return this.has('output') ? 'job' : null;
  }

  /** Decides that the job never runs. False when the decision was made before, by whomever. */
  async forbidStart(): Promise<boolean> {
    return (await createFirst(this.file('output'), '')) && (await createFirst(this.file('go'), GO_OF_AGENT));
  }

  readLeftovers(): number {
    // Seldom there, and asking is a tenth of what failing to open it costs.
    if (!this.has('leftovers')) return 0;
    const count = Number.parseInt(readStart(this.file('leftovers'), 32) ?? '', 10);
    return Number.isInteger(count) ? count : 0;
  }
}

/** Makes the file that the supervisor writes the end into, so that a full disk cannot keep it from doing so. */
export function reservedStatus(directory: AttemptDirectory): FileOperation {
  return { kind: 'create', path: directory.file('status'), content: RESERVED_STATUS };
}

/** Makes a directory with its reserved files, out of a spare one where there is one. */
export function madeOf(directory: AttemptDirectory, spare: string | null): FileOperation {
  return { kind: 'takeKept', from: spare, path: directory.path, stock: STOCK };
}

const FOLDER_MODE = 0o700;
const RESERVED_STATUS = '\n'.repeat(STATUS_BYTES);
const STOCK: FolderStock = {
  mode: FOLDER_MODE,
  reserved: [{ name: ATTEMPT_FILES.status, content: RESERVED_STATUS }],
  rewritten: [ATTEMPT_FILES.intent, ATTEMPT_FILES.run],
};
const GO_OF_AGENT = 'agent\n';

/** How the supervisor saw its job end. */
export interface ExitStatus {
  /** As a shell counts: 128 + n for signal n, or an exit code; `text` tells which, where the shell tells. */
  readonly code: number;
  /** The name the shell printed for the killing signal ("Killed", "Terminated"), or a message of the shell (holds `:`). */
  readonly text: string | null;
  /** Seconds on the boot clock. */
  readonly atSeconds: number;
}

/** Anything but a whole record means "not ended": the record is written in place and has no rename to mark it. */
export function parseStatus(text: string | null): ExitStatus | null {
  const match = /^(?:([^\n]*)\n)?x (\d+) (\S+) \.\n/.exec(text ?? '');
  if (match === null) return null;
  const [, words, code, at] = match;
  return { code: Number(code), text: words === undefined || words === '' ? null : words, atSeconds: Number(at) };
}

/** The claim and the job's identity; either is null until its line is whole. */
export interface Ident {
  readonly bootId: string | null;
  readonly supervisor: ProcessIdentity | null;
  readonly job: ProcessIdentity | null;
  /**
   * When the job was told to start, seconds on the boot clock; its process may have waited for that for hours. A supervisor
   * from before starts were prepared noted none: its process began with its job.
   */
  readonly startedAtSeconds: number | null;
}

export function parseIdent(text: string | null): Ident {
  const claim = /^s (\S+) (\d+) (\d+)\n/.exec(text ?? '');
  const [isNoted, pid, ticks, toldAt] = /\ni (\d+) (\d+)(?: (\S+))? \.\n/.exec(text ?? '') ?? [];
  const startTicks = Number(ticks);
  return {
    bootId: claim?.[1] ?? null,
    supervisor: claim ? { pid: Number(claim[2]), startTicks: Number(claim[3]) } : null,
    job: isNoted ? { pid: Number(pid), startTicks } : null,
    startedAtSeconds: isNoted ? Number(toldAt ?? startTicks / TICKS_PER_SECOND) : null,
  };
}

/**
 * The place of the status was another execution's before, and a power cut may bring back what that one left in it, while
 * the identity is always a new file: nobody writes an end without a whole claim, before the start, or 0 for what never
 * became the job.
 */
export function isOwnStatus(status: ExitStatus, ident: Ident): boolean {
  if (ident.supervisor === null) return false;
  return ident.startedAtSeconds === null ? status.code !== 0 : status.atSeconds >= ident.startedAtSeconds;
}

/**
 * The first bytes of a small file that was just written here, so it is in memory; null when it is not there. `utf8` where
 * people read it: the records themselves are plain ASCII.
 */
export function readStart(path: string, bytes: number, encoding: 'latin1' | 'utf8' = 'latin1'): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.toString(encoding, 0, readSync(file, buffer, 0, bytes, 0));
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

/** False when it is there already. That it is there counts: a full disk keeps its text from it. */
async function createFirst(path: string, text: string): Promise<boolean> {
  const made = await open(path, 'wx', 0o600).catch((error: unknown) => {
    if (isCode(error, 'EEXIST')) return null;
    throw error;
  });
  await made?.writeFile(text).catch(() => undefined);
  await made?.close();
  return made !== null;
}

/** True for a system error of this code (ENOENT, EEXIST). */
export function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
