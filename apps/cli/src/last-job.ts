import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Remembers, per control plane, the job that this user submitted last: what `@last` means. Losing it loses a convenience. */
export function rememberLastJob(folder: string, url: string, jobId: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = pathIn(folder);
    const draft = `${path}.${process.pid}.tmp`;
    writeFileSync(draft, JSON.stringify({ ...read(folder), [url]: jobId }), { mode: 0o600 });
    renameSync(draft, path);
  } catch {
    // A home that cannot be written must not make a submitted job look refused.
  }
}

export function lastJob(folder: string, url: string): string | undefined {
  const id = read(folder)[url];
  return typeof id === 'string' ? id : undefined;
}

function read(folder: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(pathIn(folder), 'utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function pathIn(folder: string): string {
  return join(folder, 'last-job.json');
}
