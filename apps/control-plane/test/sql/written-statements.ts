/** Every statement in the source of the control plane, and what it writes: read from the text, so that none can hide. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = join(import.meta.dirname, '../../src');
const STATEMENT = /(?:const (\w+)(?:: \w+)? = |)sql`([^`]*)`/g;
const WRITE = /\b(?:update|insert\s+into|delete\s+from|merge\s+into|truncate)\s+(?:only\s+)?(job|attempt|worker)\b/gi;
const UPDATE = /\bupdate\s+(job|attempt|worker)\b(?:\s+(?:as\s+)?\w+)?\s+set\s+(.*?)(?=\bfrom\b|\bwhere\b|\breturning\b|$)/gis;

export interface WrittenStatement {
  /** The constant that holds it, or its file where it has none. */
  readonly name: string;
  readonly text: string;
}

export function writtenStatements(): WrittenStatement[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'));
  return files.flatMap((path) => {
    const matches = [...readFileSync(join(SOURCE, path), 'utf8').matchAll(STATEMENT)];
    return matches.map(([, name, text]) => ({ name: name ?? path, text: text ?? '' }));
  });
}

/** Tables of the engine that a statement writes. */
export function tablesWritten({ text }: WrittenStatement): string[] {
  return [...new Set([...text.matchAll(WRITE)].map(([, table]) => (table ?? '').toLowerCase()))].sort();
}

/** Columns that its updates set, as `table.column`. */
export function columnsSet({ text }: WrittenStatement): string[] {
  return [...text.matchAll(UPDATE)].flatMap(([, table, list]) =>
    [...(list ?? '').matchAll(/(?:^|,)\s*(?:--[^\n]*\n\s*)*(\w+)\s*=/g)].map(([, column]) => `${table}.${column}`),
  );
}
