import { InvalidArgumentError } from 'commander';

/** Readers of words on the command line. Each throws `InvalidArgumentError`, which names the option by itself. */

const SECONDS_OF: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90`, `90s`, `1.5h`, `2h30m`, `7d` → seconds. */
export function toSeconds(text: string): number {
  const refuse = (): never => {
    throw new InvalidArgumentError(`Give a time as in 90s, 5m, 2h30m or 7d, not ${JSON.stringify(text)}.`);
  };
  if (!/^(\d+(\.\d+)?(ms|[smhd])?)+$/.test(text)) return refuse();
  let seconds = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd]?)/g)) {
    seconds += Number(number) * (unit === 'ms' ? 0.001 : (SECONDS_OF[unit ?? ''] ?? Number.NaN));
  }
  return Number.isFinite(seconds) ? seconds : refuse();
}

/** A time of at least one second, in whole seconds. */
export function toWholeSeconds(text: string): number {
  const seconds = Math.round(toSeconds(text));
  if (seconds < 1) throw new InvalidArgumentError('It must be at least one second.');
  return seconds;
}

/** A time in whole seconds; none at all is allowed. */
export function toGraceSeconds(text: string): number {
  return Math.round(toSeconds(text));
}

/** `30d` or a moment: a time from now is counted by the control plane, whose clock decides. */
export function toExpiry(text: string): { readonly expiresAt: string } | { readonly expiresInSeconds: number } {
  if (!/^\d{4}-/.test(text)) return { expiresInSeconds: toWholeSeconds(text) };
  if (!Number.isNaN(Date.parse(text))) return { expiresAt: new Date(text).toISOString() };
  throw new InvalidArgumentError(`Give a moment as in 2027-01-01T00:00:00Z, not ${JSON.stringify(text)}.`);
}

const MEBIBYTES_OF: Readonly<Record<string, number>> = {
  k: 1_000 / 1_048_576,
  m: 1_000_000 / 1_048_576,
  g: 1_000_000_000 / 1_048_576,
  t: 1e12 / 1_048_576,
  ki: 1 / 1_024,
  mi: 1,
  gi: 1_024,
  ti: 1_048_576,
};

/** `8G`, `512Mi`, `8000` (megabytes) → whole MB as the wire counts them. */
export function toMegabytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmgt]i?)?b?$/i.exec(text);
  if (match === null)
    throw new InvalidArgumentError(`Give a size as in 512Mi, 8G or 8000 (MB), not ${JSON.stringify(text)}.`);
  const unit = (match[2] ?? '').toLowerCase();
  return Math.max(1, Math.round(Number(match[1]) * (unit === '' ? 1 : (MEBIBYTES_OF[unit] ?? 1))));
}

/** `64Mi`, `1G` → bytes. */
export function toBytes(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  return Math.round(toMegabytes(text) * 1_048_576);
}

/** A whole number, with a sign when it has one. */
export function toWhole(text: string): number {
  if (!/^[+-]?\d{1,9}$/.test(text)) throw new InvalidArgumentError(`Give a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

/** Who goes first. */
export function toPriority(text: string): number {
  const number = toWhole(text);
  if (Math.abs(number) > 100) throw new InvalidArgumentError('It must be from -100 to 100.');
  return number;
}

/** A port to listen on, as it was typed; 0 for any that is free. */
export function toPort(text: string): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError(`Give a port from 0 to 65535, not ${JSON.stringify(text)}.`);
  }
  return text;
}

/** A whole number from 0. */
export function toCount(text: string): number {
  const number = toWhole(text);
  if (number < 0) throw new InvalidArgumentError('It must not be below 0.');
  return number;
}

/** A number above 0. */
export function toAmount(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number) || number <= 0) {
    throw new InvalidArgumentError(`Give a number above 0, not ${JSON.stringify(text)}.`);
  }
  return number;
}

/** Gathers `NAME=value` options into a map. The value may hold further `=` and may be empty. */
export function intoMap(text: string, map: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`Give NAME=value, not ${JSON.stringify(text)}.`);
  return { ...map, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Gathers the values of an option that may be given several times. */
export function intoList(text: string, list: readonly string[] = []): string[] {
  return [...list, text];
}

export function toPattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new InvalidArgumentError(`${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Words of a closed list, separated by commas. */
export function toSomeOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((word) => {
      const found = known.find((one) => one === word.trim());
      if (found === undefined)
        throw new InvalidArgumentError(`${JSON.stringify(word)} is none of ${known.join(', ')}.`);
      return found;
    });
}
