/**
 * The three files a job may write from any language: metrics and progress (lines, read while they grow) and the result
 * (one JSON value, read at the end). Whatever a job writes there can only cost it its own lines.
 */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { LIMITS, type MetricPoint } from '@muster/protocol';

/** A piece of a growing file, cut behind the last whole line. */
export interface JobFilePiece<Item> {
  readonly offset: number;
  /** Bytes of the piece, bad lines included; the next piece begins at `offset + rawLength`. */
  readonly rawLength: number;
  readonly items: readonly Item[];
  /** Lines that could not be read. */
  readonly badLines: number;
}

const PIECE_BYTES_MAX = 64 * 1024;

/**
 * Reads the whole lines behind `offset`. `isFinal`: the job is gone, so a last line without its end counts. A line longer
 * than a piece is bad, in as many pieces as it takes. Null when there is nothing new.
 */
export async function readPiece<Item>(
  path: string,
  offset: number,
  isFinal: boolean,
  parse: (line: string) => Item | null,
): Promise<JobFilePiece<Item> | null> {
  const bytes = await readAt(path, offset);
  if (bytes === null || bytes.length === 0) return null;
  const isFull = bytes.length === PIECE_BYTES_MAX;
  const end = bytes.lastIndexOf('\n') + 1;
  if (end === 0 && isFull) return { offset, rawLength: bytes.length, items: [], badLines: 1 };
  const rawLength = isFinal && !isFull ? bytes.length : end;
  if (rawLength === 0) return null;
  const items: Item[] = [];
  let badLines = 0;
  for (const line of bytes.toString('utf8', 0, rawLength).split('\n')) {
    if (line.trim() === '') continue;
    const item = parse(line);
    if (item === null) badLines += 1;
    else items.push(item);
  }
  return { offset, rawLength, items, badLines };
}

async function readAt(path: string, offset: number): Promise<Buffer | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PIECE_BYTES_MAX), 0, PIECE_BYTES_MAX, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** `{"step":1,"loss":0.3}`: numbers are values; `step` and `at` have their own meaning; anything else is left out. */
export function parseMetricLine(line: string, readAt: string): MetricPoint | null {
  const value = parseJson(line);
  if (!isObject(value)) return null;
  const { step, at, ...rest } = value;
  const values: Record<string, number> = {};
  let count = 0;
  for (const [name, number] of Object.entries(rest)) {
    if (typeof number !== 'number' || count >= LIMITS.metricKeysPerPointMax) continue;
    values[name] = number;
    count += 1;
  }
  if (count === 0) return null;
  const isMoment = typeof at === 'string' && /^\d{4}-\d\d-\d\dT/.test(at) && Number.isFinite(Date.parse(at));
  return {
    step: typeof step === 'number' && Number.isFinite(step) ? step : null,
    at: isMoment ? new Date(at).toISOString() : readAt,
    values,
  };
}

export interface ProgressLine {
  readonly fraction: number | null;
  readonly message: string | null;
}

const MESSAGE_LENGTH_MAX = 500;

/** `0.42 message`, `42% message`, a message alone, or `{"fraction":0.42,"message":"…"}`. Fractions are cut to 0..1. */
export function parseProgressLine(line: string): ProgressLine | null {
  const text = line.trim();
  if (text.startsWith('{')) {
    const value = parseJson(text);
    if (!isObject(value)) return null;
    const fraction = typeof value.fraction === 'number' ? clamp(value.fraction) : null;
    const message = typeof value.message === 'string' ? cut(value.message) : null;
    return fraction === null && message === null ? null : { fraction, message };
  }
  const match = /^(\d+(?:\.\d*)?|\.\d+)(%?)(?:\s+(.*))?$/.exec(text);
  if (!match) return text === '' ? null : { fraction: null, message: cut(text) };
  const number = Number(match[1]) / (match[2] === '%' ? 100 : 1);
  return { fraction: clamp(number), message: match[3] ? cut(match[3]) : null };
}

export type JobResult =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly detail: string };

/** The one JSON value of `MUSTER_RESULT`; a sentence where it cannot be taken. An empty file is an absent result. */
export async function readResult(path: string): Promise<JobResult> {
  // Most jobs write none, and asking whether it is there is a hundred times cheaper than failing to open it.
  const found = statSync(path, { throwIfNoEntry: false });
  const file = found && found.size > 0 ? await open(path, 'r').catch(() => null) : null;
  if (file === null) return { kind: 'absent' };
  try {
    const { size } = await file.stat();
    if (size > LIMITS.resultSocketBytesMax) {
      const limit = `${LIMITS.resultSocketBytesMax / 1024} KiB`;
      return { kind: 'unreadable', detail: `The result is too large: ${size} bytes, at most ${limit} are kept.` };
    }
    const text = (await file.readFile()).toString('utf8');
    const value = parseJson(text);
    if (value === undefined) return { kind: 'unreadable', detail: 'The result is not a JSON value and was not kept.' };
    return { kind: 'value', value };
  } finally {
    await file.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const clamp = (fraction: number): number => Math.min(1, Math.max(0, fraction));
const cut = (message: string): string => message.slice(0, MESSAGE_LENGTH_MAX);
