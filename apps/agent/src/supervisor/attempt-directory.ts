/**
 * The directory of one execution: the agent's journal and the supervisor's mailbox. Every text in it has one writer and
 * one parser; the parsers are here and pure, and say "not there yet" to anything that is not whole.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileLane, FileOperation } from './file-lane.js';
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
  /** Job's process or a recovering agent, whoever is first. */
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
  output: 'out.log',
  stdout: 'stdout.log',
  stderr: 'stderr.log',
  metrics: 'metrics.jsonl',
  progress: 'progress.txt',
  result: 'result.json',
  workspace: 'work',
} as const;
export type AttemptFile = keyof typeof ATTEMPT_FILES;

export class AttemptDirectory {
  constructor(
    /** Absolute path; its last part is the execution's id. */
    readonly path: string,
  ) {}

  file(name: AttemptFile): string {
    return join(this.path, ATTEMPT_FILES[name]);
  }

  /**
   * Makes it, readable by its owner only, with the intent in it. Fails when it exists: an id is never used twice. An intent
   * cut off by a crash is none; nothing was promised yet.
   */
  async create(lane: FileLane, intent: string): Promise<void> {
    await lane.run([
      { kind: 'makeFolder', path: this.path, mode: 0o700 },
      { kind: 'create', path: this.file('intent'), content: intent },
    ]);
  }

  /** The same from a directory that was made ahead: it comes here with the intent in it. */
  async take(lane: FileLane, madeAhead: AttemptDirectory, intent: string): Promise<void> {
    await lane.run([
      { kind: 'create', path: madeAhead.file('intent'), content: intent },
      { kind: 'move', path: madeAhead.path, to: this.path },
    ]);
  }

  /**
   * Everything the supervisor needs, complete before it hears of the execution: the run script and, where it was not made
   * ahead, the reserved status.
   */
  async writeStartFiles(lane: FileLane, runScript: Uint8Array, others?: readonly FileOperation[]): Promise<void> {
    await lane.run([
      ...(others ?? [reservedStatus(this)]),
      { kind: 'create', path: this.file('run'), content: runScript },
    ]);
  }

  /**
   * Removes it with all that is in it; whatever is gone already is fine. What a job left goes first: when that cannot be
   * removed the journal stays whole. Then the intent: a journal that is half gone by a crash is none, and tells no tales.
   */
  async remove(lane: FileLane): Promise<void> {
    await lane.run([{ kind: 'remove', path: this.path, firstFile: ATTEMPT_FILES.intent }]);
  }

  readStatus(): ExitStatus | null {
    return parseStatus(readStart(this.file('status'), 512));
  }

  readIdent(): Ident {
    return parseIdent(readStart(this.file('ident'), 512));
  }

  has(name: AttemptFile): boolean {
    return statSync(this.file(name), { throwIfNoEntry: false }) !== undefined;
  }

  /** `agent` when this or an earlier agent forbade the start, `job` when the job's process was first. */
  readGo(): 'agent' | 'job' | null {
    if (!this.has('go')) return null;
    return readStart(this.file('go'), 16) === GO_OF_AGENT ? 'agent' : 'job';
  }

  /** Decides that the job never runs. False when the decision was made before, by whomever. */
  async forbidStart(): Promise<boolean> {
    try {
      await writeFile(this.file('go'), GO_OF_AGENT, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw error;
    }
  }

  readLeftovers(): number {
    const count = Number.parseInt(readStart(this.file('leftovers'), 32) ?? '', 10);
    return Number.isInteger(count) ? count : 0;
  }
}

/** Makes the file that the supervisor writes the end into, so that a full disk cannot keep it from doing so. */
export function reservedStatus(directory: AttemptDirectory): FileOperation {
  return { kind: 'create', path: directory.file('status'), content: RESERVED_STATUS };
}

const RESERVED_STATUS = '\n'.repeat(STATUS_BYTES);
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

/** True for a system error of this code (ENOENT, EEXIST). */
export function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
