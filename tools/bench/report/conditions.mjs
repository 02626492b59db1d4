// Under which conditions the figures were taken: what is asserted, and what is only said.
import { spawnSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import pg from 'pg';
import { ROOT } from '../../lib/root.mjs';

/** What must be on for a commit to mean what `npm start` promises. */
const DURABLE = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' };
const FILE_SYSTEMS = {
  0xef53: 'ext4',
  0x9123683e: 'btrfs',
  0x58465342: 'xfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlayfs',
  0x2fc12fc1: 'zfs',
};

/**
 * @throws when the database gives less durability than `npm start` promises
 * @returns {Promise<Record<string, string>>}
 */
export async function conditionsOf({ databaseUrl, dataDir, worker }) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const names = [...Object.keys(DURABLE), 'server_version', 'shared_buffers', 'max_wal_size', 'wal_sync_method'];
    const { rows } = await client.query('select name, setting, unit from pg_settings where name = any($1)', [names]);
    const settings = Object.fromEntries(
      rows.map(({ name, setting, unit }) => [name, unit ? `${setting} x ${unit}` : setting]),
    );
    for (const [name, expected] of Object.entries(DURABLE)) {
      if (settings[name] !== expected)
        throw new Error(
          `PostgreSQL runs with ${name} = ${settings[name]}: these would not be the figures of npm start.`,
        );
    }
    return {
      build: buildOf(),
      node: process.version,
      postgres: `${settings.server_version}, ${[...Object.keys(DURABLE), 'wal_sync_method', 'shared_buffers'].map((name) => `${name} ${settings[name]}`).join(', ')}`,
      agent: `${worker.slots} slots, containment ${worker.containment}`,
      machine: `${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, data on ${fileSystemOf(dataDir)}`,
    };
  } finally {
    await client.end();
  }
}

/** How busy the machine is with other things; said at the beginning and at the end. */
export const loadNow = () => loadavg()[0] ?? 0;

export function buildOf() {
  const git = (...args) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout?.trim() ?? '';
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const commit = git('rev-parse', '--short', 'HEAD');
  return `${version}${commit ? `, commit ${commit}${git('status', '--porcelain', '-uno') ? ' with changes' : ''}` : ''}`;
}

function fileSystemOf(folder) {
  const { type } = statfsSync(folder);
  return FILE_SYSTEMS[type] ?? `file system ${type.toString(16)}`;
}
