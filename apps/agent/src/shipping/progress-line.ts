/** What a person is told beside a progress bar is cut to this many characters, at most four bytes each. */
export const PROGRESS_MESSAGE_CHARACTERS_MAX = 250;

export interface ProgressLine {
  readonly fraction: number | null;
  readonly message: string | null;
}

/** The newest whole line of the end of a progress file that says something; null when there is none. */
export function newestProgress(text: string, isFinal: boolean): ProgressLine | null {
  const lines = text.split('\n');
  if (!isFinal) lines.pop();
  for (const line of lines.reverse()) {
    const progress = toProgress(line.trim());
    if (progress) return progress;
  }
  return null;
}

/** `0.42 message`, `42% message`, only words, or `{"fraction": 0.42, "message": "…"}`. Fractions are held to 0…1. */
export function toProgress(line: string): ProgressLine | null {
  if (line === '') return null;
  if (line.startsWith('{')) return fromJson(line);
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)(?:\s+(.*))?$/s.exec(line);
  if (!match) return { fraction: null, message: shortened(line) };
  const fraction = Number(match[1]) / (match[2] ? 100 : 1);
  return { fraction: held(fraction), message: match[3] ? shortened(match[3]) : null };
}

function fromJson(line: string): ProgressLine | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const record = value as { readonly fraction?: unknown; readonly message?: unknown };
  const fraction =
    typeof record.fraction === 'number' && Number.isFinite(record.fraction) ? held(record.fraction) : null;
  const message = typeof record.message === 'string' && record.message !== '' ? shortened(record.message) : null;
  return fraction === null && message === null ? null : { fraction, message };
}

function held(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}

/** One line of whole characters. Halves of characters, as JSON may smuggle in, become the replacement character. */
function shortened(message: string): string {
  const characters = [...message.replace(/\p{Cc}+/gu, ' ')].slice(0, PROGRESS_MESSAGE_CHARACTERS_MAX);
  return Buffer.from(characters.join('')).toString('utf8');
}
