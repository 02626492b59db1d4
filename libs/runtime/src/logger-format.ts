import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const LEVEL_STYLE: Readonly<Record<string, Style>> = {
  fatal: 'magenta',
  error: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'blue',
  trace: 'gray',
};

/** Turns one JSON log line into one line for a terminal, plus a stack where there is one. Other text passes unchanged. */
export function formatForPeople(line: string): string {
  const record = parseRecord(line);
  if (!record) return line;
  const { level, time, name, msg, err, error, ...fields } = record;
  const failure = asFailure(err ?? error);
  const parts = [
    styleText('gray', String(time).slice(11, 23)),
    styleText(LEVEL_STYLE[String(level)] ?? 'white', String(level).padEnd(5)),
    styleText('gray', String(name)),
    String(msg ?? ''),
    ...Object.entries(fields).map(([key, value]) => `${styleText('gray', `${key}=`)}${formatValue(value)}`),
  ];
  if (failure && failure.message !== msg) parts.push(styleText('red', failure.message));
  const stack = failure?.stack ? `\n${styleText('gray', failure.stack)}` : '';
  return `${parts.filter(Boolean).join(' ')}${stack}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

function asFailure(value: unknown): { message: string; stack?: string } | undefined {
  if (typeof value !== 'object' || value === null || !('message' in value)) return undefined;
  const stack = 'stack' in value && typeof value.stack === 'string' ? value.stack : undefined;
  return { message: String(value.message), ...(stack ? { stack } : {}) };
}
