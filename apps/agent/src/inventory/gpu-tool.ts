import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** `absent`: there is no such program. `failed`: it ended badly, printed too much, or did not end in time. */
export type ToolAnswer =
  | { readonly kind: 'answered'; readonly output: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly detail: string };

export interface GpuToolOptions {
  /** Looked for on the PATH of the environment. */
  readonly program?: string;
  /** The driver may take seconds to wake. */
  readonly timeLimitMs?: number;
  /** What it is given; no secrets of the agent's. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const TIME_LIMIT_MS = 8_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;
const SAID_MAX = 200;

/**
 * Calls `nvidia-smi`. A driver in trouble makes it wait for ever, deaf to KILL: it is given up after its time, and no other
 * is started beside one that could not be killed.
 */
export class GpuTool {
  private readonly program: string;
  private readonly timeLimitMs: number;
  private stuck = 0;

  constructor(private readonly options: GpuToolOptions) {
    this.program = options.program ?? 'nvidia-smi';
    this.timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS;
  }

  /** Never rejects, and resolves soon after the time limit at the latest. */
  ask(words: readonly string[]): Promise<ToolAnswer> {
    if (this.stuck > 0)
      return Promise.resolve(failed(`An earlier call of ${this.program} hangs and cannot be killed.`));
    return new Promise((resolve) => {
      // In a group of its own, so that all of it can be killed.
      const child = spawn(this.program, [...words], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...this.options.environment, LC_ALL: 'C' },
        detached: true,
      });
      const output = collect(child.stdout, () =>
        giveUp(`${this.program} printed more than ${OUTPUT_BYTES_MAX} bytes.`),
      );
      const complaint = collect(child.stderr, () => giveUp(`${this.program} complained without end.`));
      let hasExited = false;
      const settle = (answer: ToolAnswer): void => {
        clearTimeout(timer);
        child.stdout.destroy();
        child.stderr.destroy();
        resolve(answer);
      };
      const giveUp = (detail: string): void => {
        kill(child.pid);
        if (!hasExited && child.pid !== undefined) {
          this.stuck += 1;
          child.once('exit', () => (this.stuck -= 1));
          child.unref();
        }
        settle(failed(detail));
      };
      const timer = setTimeout(
        () => giveUp(`${this.program} did not answer within ${this.timeLimitMs} ms and was killed.`),
        this.timeLimitMs,
      );
      child.once('exit', () => (hasExited = true));
      child.once('error', (error: NodeJS.ErrnoException) => {
        const isAbsent = error.code === 'ENOENT' || !this.isThere();
        settle(isAbsent ? { kind: 'absent' } : failed(`${this.program} cannot be run: ${error.message}.`));
      });
      child.once('close', (code, signal) => {
        if (code === 0) return settle({ kind: 'answered', output: output() });
        const said = firstWordsIn(output() || complaint());
        settle(failed(`${this.program} ended with ${signal ?? `code ${code}`}${said === '' ? '.' : `: ${said}`}`));
      });
    });
  }

  /** A folder on the PATH that nobody may look into makes the system say "denied" of a program that is nowhere. */
  private isThere(): boolean {
    const folders = (this.options.environment['PATH'] ?? '').split(':');
    return folders.some((folder) => existsSync(join(folder, this.program)));
  }
}

const failed = (detail: string): ToolAnswer => ({ kind: 'failed', detail });

/** Its first line, fit to be told: a beat with a character that cannot be stored would be refused as a whole. */
function firstWordsIn(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return [...line.replace(/\p{Cc}/gu, '')].slice(0, SAID_MAX).join('');
}

/** What was read so far, as text. */
function collect(stream: NodeJS.ReadableStream, isTooMuch: () => void): () => string {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  stream.on('data', (piece: Buffer) => {
    sizeBytes += piece.length;
    if (sizeBytes <= OUTPUT_BYTES_MAX) pieces.push(piece);
    else isTooMuch();
  });
  stream.on('error', () => undefined);
  return () => Buffer.concat(pieces).toString('utf8');
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
