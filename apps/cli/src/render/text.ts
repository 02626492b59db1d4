/** Small words for times, sizes and long texts. */
import { stripVTControlCharacters } from 'node:util';

/** `42s`, `3m 20s`, `2h 5m`, `4d 3h`: the two largest units. Negative (clocks differ) counts as 0. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return pair(minutes, 'm', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'm');
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}

/** Time from one moment to another, or to now; `-` when it has not begun. */
export function between(fromAt: string | null, toAt: string | null, nowMs: number): string {
  if (fromAt === null) return '-';
  return duration((toAt === null ? nowMs : Date.parse(toAt)) - Date.parse(fromAt));
}

/** `512 B`, `1.5 MB`: decimal units, three digits. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit] ?? ''}`;
}

/** Memory given in mebibytes, as people say it. */
export function memory(mebibytes: number): string {
  return size(mebibytes * 1_048_576);
}

/** At most `width` characters, the last one an ellipsis when something was left out. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return width <= 1 ? '…' : `${characters.slice(0, width - 1).join('')}…`;
}

/**
 * Text from elsewhere made harmless for a terminal: names and messages of jobs come from other people, and an escape
 * sequence in one must not reach our reader's screen.
 */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
}

/** `key=value` pairs, separated by spaces. */
export function pairs(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .map(([name, value]) => plain(value === '' ? name : `${name}=${value}`))
    .join(' ');
}

/**
 * Text in lines of at most `columns`, broken between words; every line but the first begins with `indent` spaces. A word that
 * is longer than a line stays whole, so that an id or an address can be copied. Colours do not count.
 */
export function wrapped(text: string, columns: number, indent = 0): string {
  if (!Number.isFinite(columns)) return text;
  return text
    .split('\n')
    .map((line) => wrappedLine(line, Math.max(columns, indent + 20), ' '.repeat(indent)))
    .join('\n');
}

function wrappedLine(text: string, width: number, indent: string): string {
  const [first = '', ...words] = text.trimStart().split(' ');
  const lines: string[] = [];
  let line = `${/^ */.exec(text)?.[0] ?? ''}${first}`;
  for (const word of words) {
    const longer = `${line} ${word}`;
    if (visibleLength(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = `${indent}${word}`;
    }
  }
  return [...lines, line].join('\n');
}

function visibleLength(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** `Name      value` lines, values wrapped beside their names; what has no value is left out. */
export function facts(lines: readonly (readonly [string, string])[], nameWidth: number, columns: number): string {
  return lines
    .filter(([, value]) => value !== '')
    .map(([name, value]) => wrapped(`${name.padEnd(nameWidth).replaceAll(' ', NO_BREAK)}${value}`, columns, nameWidth).replaceAll(NO_BREAK, ' '))
    .join('\n');
}

/** Stands for a space where a line must not be broken; nothing that comes from elsewhere holds it after `plain`. */
const NO_BREAK = '\u0000';
