// What this machine itself can do, measured beside each of our figures, because these numbers move by the minute.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** Builds the raw spawner once; a dash loop stands in where there is no compiler, and the report says so. */
export function prepareRawSpawn() {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'));
  const binary = join(folder, 'raw-spawn');
  const built = spawnSync('cc', ['-O2', '-o', binary, join(import.meta.dirname, 'raw-spawn.c')], { stdio: 'ignore' });
  const usesC = built.status === 0 && existsSync(binary);
  return {
    how: usesC ? 'C posix_spawn, 8 in flight' : 'dash loop, one at a time',
    /** Processes per second. */
    rate(count) {
      const began = performance.now();
      const run = usesC
        ? spawnSync(binary, [String(count)])
        : spawnSync('/bin/sh', ['-c', `i=0; while [ $i -lt ${count} ]; do /bin/true; i=$((i+1)); done`]);
      if (run.status !== 0) throw new Error('The raw spawn loop failed.');
      return count / ((performance.now() - began) / 1000);
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Children per second that Node itself starts with pipes, 8 in flight. */
export async function nodeSpawnRate(count) {
  const began = performance.now();
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      await new Promise((resolve, reject) => spawn('/bin/true', { stdio: ['ignore', 'pipe', 'pipe'] }).on('exit', resolve).on('error', reject));
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return count / ((performance.now() - began) / 1000);
}

/** Milliseconds of each of `count` durable single-row updates, one after the other, in the product's own database. */
export async function singleRowCommitMs(databaseUrl, count) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('create table if not exists bench_commit (id int primary key, n bigint not null)');
    await client.query('insert into bench_commit values (1, 0) on conflict (id) do nothing');
    const times = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await client.query({ name: 'bench_commit', text: 'update bench_commit set n = n + 1 where id = 1' });
      times.push(performance.now() - began);
    }
    await client.query('drop table bench_commit');
    return times;
  } finally {
    await client.end();
  }
}
