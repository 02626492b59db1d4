import { open } from 'node:fs/promises';
import { usageFailure, type Failure } from '../failure.js';
import type { Output } from '../output.js';
import { LineReader } from './lines.js';
import { TerminalFilter } from './terminal-filter.js';

export interface SinkOptions {
  /** Write to this file instead of stdout. */
  readonly output?: string;
  /** Only lines that this matches. */
  readonly grep?: RegExp;
  /** Every byte, also to a terminal. */
  readonly raw?: boolean;
  /** The one stream that was asked for: that is data, whatever its name. */
  readonly stream?: string;
}

/** Where a log's bytes go: a pipe or file gets them exactly, a terminal gets what is harmless. */
export interface Sink {
  write(bytes: Uint8Array, stream: string): Promise<void>;
  /** After the last byte; the file is complete when this resolves. */
  end(): Promise<void>;
}

/** Chooses by the options and by who reads. */
export async function openSink(output: Output, options: SinkOptions): Promise<Sink> {
  const target = options.output === undefined ? toOutput(output, options) : await toFile(options.output);
  return options.grep === undefined ? target : matching(options.grep, target);
}

function toOutput(output: Output, options: SinkOptions): Sink {
  const filters = new Map<string, TerminalFilter>();
  const filtered = (bytes: Uint8Array, stream: string): Uint8Array => {
    const filter = filters.get(stream) ?? new TerminalFilter();
    filters.set(stream, filter);
    return filter.push(bytes);
  };
  return {
    write: async (bytes, stream) => {
      const shown = output.isTerminal && options.raw !== true ? filtered(bytes, stream) : bytes;
      // A job that keeps its streams apart keeps them apart here.
      await (stream === 'stderr' && options.stream === undefined ? output.writeError(shown) : output.write(shown));
    },
    end: async () => undefined,
  };
}

async function toFile(path: string): Promise<Sink> {
  const refusal = (error: unknown): Failure =>
    usageFailure(`The file ${path} cannot be written.`, 'Choose another with -o.', String(error));
  const file = await open(path, 'w').catch((error: unknown) => Promise.reject(refusal(error)));
  return {
    write: async (bytes) => {
      await file.writeFile(bytes).catch((error: unknown) => Promise.reject(refusal(error)));
    },
    end: () => file.close(),
  };
}

function matching(pattern: RegExp, target: Sink): Sink {
  const readers = new Map<string, LineReader>();
  const put = async (lines: readonly string[], stream: string): Promise<void> => {
    const text = lines
      .filter((line) => pattern.test(line))
      .map((line) => `${line}\n`)
      .join('');
    if (text !== '') await target.write(Buffer.from(text), stream);
  };
  return {
    write: async (bytes, stream) => {
      const reader = readers.get(stream) ?? new LineReader();
      readers.set(stream, reader);
      await put(reader.push(bytes), stream);
    },
    end: async () => {
      for (const [stream, reader] of readers) await put(reader.end(), stream);
      await target.end();
    },
  };
}
