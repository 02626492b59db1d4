// What it costs to let go of what was kept long enough: jobs in small batches, everything else by whole partitions.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { ROOT } from '../../../lib/root.mjs';
import { figureOf, latencyOf } from '../../measure/figure.mjs';
import { finishedId } from '../../scale/fill.mjs';

/** As many as the product removes in one transaction. */
const JOBS_AT_ONCE = 200;
const BATCHES = 10;

/** Run last: what was filled is gone afterwards. */
export async function retentionFigures(databaseUrl, { count }) {
  const path = join(ROOT, 'apps/control-plane/dist/retention/retention.sql.js');
  const { JOBS_REMOVE, PARTITION_DETACH, PARTITION_DISCARD } = await import(pathToFileURL(path).href);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const batches = Math.min(BATCHES, Math.floor(count / JOBS_AT_ONCE));
    const rates = [];
    for (let batch = 0; batch < batches; batch++) {
      const ids = Array.from({ length: JOBS_AT_ONCE }, (_, at) => finishedId(1 + batch * JOBS_AT_ONCE + at));
      const ms = await timed(() => client.query(JOBS_REMOVE.text, [ids]));
      rates.push((JOBS_AT_ONCE / ms) * 1000);
    }
    const piece = 'event_0000000000';
    const { rows } = await client.query('select pg_total_relation_size($1)::float8 as bytes', [piece]);
    const detached = await timed(() => client.query(PARTITION_DETACH.text, ['event', piece]));
    const dropped = await timed(() => client.query(PARTITION_DISCARD.text, [piece]));
    const room = `${(count * 4).toLocaleString('en-US')} events, ${(rows[0].bytes / 1_048_576).toFixed(0)} MiB`;
    return [
      ...(rates.length === 0
        ? []
        : [figureOf({ name: `finished jobs removed, ${JOBS_AT_ONCE} in a transaction`, unit: '/s', values: rates })]),
      latencyOf({ name: 'a partition taken out of its table', values: [detached], note: room }),
      latencyOf({ name: 'and dropped, while nobody waits', values: [dropped] }),
    ];
  } finally {
    await client.end();
  }
}

async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
