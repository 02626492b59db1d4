import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { asCalled } from './called-as.js';
import { wrapped } from './render/text.js';
import { createColors } from 'picocolors';

export type Colours = ReturnType<typeof createColors>;

/** What decides about colour. */
export interface ColourFacts {
  readonly isTerminal: boolean;
  /** `--no-color` was given. */
  readonly isRefused: boolean;
  readonly noColor: string | undefined;
  readonly forceColor: string | undefined;
  readonly term: string | undefined;
}

/** A refusal wins, then FORCE_COLOR, then NO_COLOR, then whether a person looks at it. */
export function wantsColour(facts: ColourFacts): boolean {
  if (facts.isRefused) return false;
  if (facts.forceColor !== undefined && facts.forceColor !== '' && facts.forceColor !== '0') return true;
  if ((facts.noColor !== undefined && facts.noColor !== '') || facts.forceColor === '0' || facts.term === 'dumb')
    return false;
  return facts.isTerminal;
}

export interface OutputOptions {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stdoutColour: boolean;
  readonly stderrColour: boolean;
  readonly isJson: boolean;
  /** How people call this program here. */
  readonly program: string;
}

/** Data goes to stdout, everything else to stderr. */
export class Output {
  /** Colours for stdout; plain text comes back unchanged where colour is not wanted. */
  readonly colours: Colours;
  /** The same for stderr. */
  readonly noteColours: Colours;
  private isAtLineStart = true;

  constructor(private readonly options: OutputOptions) {
    this.colours = createColors(options.stdoutColour);
    this.noteColours = createColors(options.stderrColour);
  }

  get isJson(): boolean {
    return this.options.isJson;
  }

  /** True when a person looks at stdout. */
  get isTerminal(): boolean {
    return this.options.stdout.isTTY === true;
  }

  /** Width of the terminal; unlimited where there is none, so that pipes get whole lines. */
  get columns(): number {
    return this.isTerminal ? (this.options.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  /** Height of the terminal; unlimited where there is none. */
  get rows(): number {
    return this.isTerminal ? (this.options.stdout.rows ?? 24) : Number.POSITIVE_INFINITY;
  }

  /** Writes data as it is; resolves when more may follow, so that a slow reader slows the writer. */
  async write(data: string | Uint8Array): Promise<void> {
    if (data.length === 0) return;
    this.isAtLineStart = typeof data === 'string' ? data.endsWith('\n') : data.at(-1) === 0x0a;
    await put(this.options.stdout, data);
  }

  /** Writes bytes to stderr as they are: a job's own stderr. */
  async writeError(data: Uint8Array): Promise<void> {
    await put(this.options.stderr, data);
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** One document, the whole answer of a command. */
  async document(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value, null, 2));
  }

  /** One element of a stream, on a line of its own. */
  async element(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  /** A sentence with our commands as they are called here, to be pasted. */
  called(text: string): string {
    return asCalled(text, this.options.program);
  }

  /** Width of the terminal that notes go to; unlimited where there is none. */
  get noteColumns(): number {
    const { stderr } = this.options;
    return stderr.isTTY === true ? (stderr.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  /** Says something to the person, never to the pipe. Begins a new line when the terminal's cursor stands in one. */
  note(text: string): void {
    const needsBreak = !this.isAtLineStart && this.isTerminal && this.options.stderr.isTTY === true;
    if (needsBreak) this.isAtLineStart = true;
    this.options.stderr.write(`${needsBreak ? '\n' : ''}${wrapped(this.called(text), this.noteColumns, 2)}\n`);
  }
}

async function put(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (!stream.write(data)) await once(stream, 'drain');
}
