// What the product's own PostgreSQL reaches with statements as small as they can be, through the driver we use, in a database
// of its own. Everything commits as the product does.
import pg from 'pg';
import { timesOf } from '../measure/waiting.mjs';
import { copyIn } from './copy.mjs';

const DATABASE = 'bench_limits';

/** Runs `work` with tools that measure, in a scratch database that is dropped afterwards. */
export async function withScratchDatabase(databaseUrl, work) {
  const url = new URL(databaseUrl);
  url.pathname = `/${DATABASE}`;
  await once(databaseUrl, `drop database if exists ${DATABASE} with (force)`, `create database ${DATABASE}`);
  try {
    return await work(new ScratchDatabase(url.href));
  } finally {
    await once(databaseUrl, `drop database if exists ${DATABASE} with (force)`);
  }
}

class ScratchDatabase {
  constructor(url) {
    this.url = url;
  }

  /** Milliseconds of each single-row durable update, one after the other. */
  async singleRowCommitMs(count) {
    return this.with(1, async ([client]) => {
      await client.query('create table if not exists commit_one (id int primary key, n bigint not null)');
      await client.query('insert into commit_one values (1, 0) on conflict do nothing');
      const update = { name: 'commit_one', text: 'update commit_one set n = n + 1 where id = 1' };
      await timesOf(Math.min(20, count), () => client.query(update));
      return timesOf(count, () => client.query(update));
    });
  }

  /** Durable single-row inserts a second, 8 clients. */
  async insertRate(count) {
    return this.with(8, async (clients) => {
      await clients[0].query(
        'create table if not exists insert_one (id bigint generated always as identity primary key, text text not null)',
      );
      const insert = {
        name: 'insert_one',
        text: 'insert into insert_one (text) values ($1)',
        values: ['x'.repeat(200)],
      };
      await Promise.all(clients.map((client) => timesOf(Math.min(10, count), () => client.query(insert))));
      const began = performance.now();
      let left = count;
      await Promise.all(
        clients.map(async (client) => {
          while (left-- > 0) await client.query(insert);
        }),
      );
      return count / ((performance.now() - began) / 1000);
    });
  }

  /** Rows a second that are updated durably, 100 in each commit, one client. */
  async batchedUpdateRate(commits) {
    return this.with(1, async ([client]) => {
      await client.query(
        'drop table if exists batch; create table batch (id int primary key, n bigint not null) with (fillfactor = 70)',
      );
      await client.query('insert into batch select n, 0 from generate_series(1, 10000) n');
      const update = (first) => ({
        name: 'batch',
        text: 'update batch set n = n + 1 from unnest($1::int[]) as wanted (id) where batch.id = wanted.id',
        values: [Array.from({ length: 100 }, (_, index) => first + index)],
      });
      const began = performance.now();
      for (let index = 0; index < commits; index++) await client.query(update((index % 99) * 100 + 1));
      return (commits * 100) / ((performance.now() - began) / 1000);
    });
  }

  /** MB/s of raw text that arrive as compressed chunks of 64 KiB, 16 in a commit, without any of the product's rules. */
  async chunkRate(chunks, rawBytes) {
    return this.with(1, async ([client]) => {
      await client.query(
        'drop table if exists chunk; create table chunk (id bigint generated always as identity primary key, bytes bytea not null)',
      );
      await client.query('alter table chunk alter column bytes set storage external');
      const began = performance.now();
      for (let at = 0; at < chunks.length; at += 16) {
        const some = chunks.slice(at, at + 16);
        await client.query('begin');
        for (const bytes of some)
          await client.query({ name: 'chunk', text: 'insert into chunk (bytes) values ($1)', values: [bytes] });
        await client.query('commit');
      }
      return rawBytes / 1e6 / ((performance.now() - began) / 1000);
    });
  }

  /** MB/s of lines that COPY brings in, 10,000 rows in a commit, with a primary key: a row per line. */
  async copyRate(lines) {
    return this.with(1, async ([client]) => {
      await client.query(
        'drop table if exists copied; create table copied (job int, seq int, line text not null, primary key (job, seq))',
      );
      let bytes = 0;
      const began = performance.now();
      for (let at = 0; at < lines.length; at += 10_000) {
        const rows = lines
          .slice(at, at + 10_000)
          .map((line, index) => `1\t${at + index}\t${line}\n`)
          .join('');
        bytes += rows.length;
        await copyIn(client, 'copy copied from stdin', Buffer.from(rows));
      }
      return bytes / 1e6 / ((performance.now() - began) / 1000);
    });
  }

  async with(count, work) {
    const clients = Array.from(
      { length: count },
      () => new pg.Client({ connectionString: this.url, options: '-c synchronous_commit=on' }),
    );
    await Promise.all(clients.map((client) => client.connect()));
    try {
      return await work(clients);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  }
}

async function once(url, ...statements) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
