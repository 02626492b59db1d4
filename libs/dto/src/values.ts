/** Looks at values of unknown shape. Nothing here trusts what a caller sent. */

const SHOWN_MAX = 60;

/** A value as a refusal quotes it: short, one line, and naming the kind where the value itself says too little. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return fewTexts(value) ?? `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value !== 'string') return String(value);
  if (value === '') return 'an empty text';
  if (value.length > SHOWN_MAX) return `text of ${byteLength(value)} bytes`;
  return JSON.stringify(value);
}

/** A list as it came, where that is short: who mistyped one of a few words looks for that word. */
function fewTexts(list: readonly unknown[]): string | undefined {
  if (list.length === 0 || !list.every((item) => typeof item === 'string')) return undefined;
  const text = JSON.stringify(list);
  return text.length > SHOWN_MAX ? undefined : text;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** A text of `min` to `max` bytes of UTF-8. */
export function hasBytes(value: unknown, min: number, max: number): boolean {
  if (typeof value !== 'string' || value.length > max) return false;
  const length = byteLength(value);
  return length >= min && length <= max;
}

export function areStrings(value: unknown, bytesMax: number): value is string[] {
  return Array.isArray(value) && value.every((item) => hasBytes(item, 0, bytesMax));
}
