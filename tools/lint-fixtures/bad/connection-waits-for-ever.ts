import pg from 'pg';

export async function readAll(connectionString: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
  await client.connect();
  return (await client.query('select id from job')).rows;
}
