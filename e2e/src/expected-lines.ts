import { spawnSync } from 'node:child_process';
import { fixture } from './cluster.js';

/** What fixtures/prints-lines.mjs prints when nothing stands between it and the reader. */
export function expectedLines(lines: number, width: number): Buffer {
  const env = { LINES: String(lines), WIDTH: String(width) };
  const { stdout, status } = spawnSync(process.execPath, [fixture('prints-lines.mjs')], { env, maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error('prints-lines.mjs failed when run by hand.');
  return stdout;
}
