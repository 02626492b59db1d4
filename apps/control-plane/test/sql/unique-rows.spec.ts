/** What two who want the same row at the same moment get: one of them the row, the other an answer, and nobody a fault of ours. */
import { toRefusal } from '../../src/http/problem.filter.js';
import { bareDatabase } from '../bare-database.js';
import { columnsSet, writtenStatements } from './written-statements.js';

/** Tables with a unique index into which some statement inserts without passing by a second row, and why there is none. */
const ALONE: Readonly<Record<string, string>> = {
  api_key: 'its id was made a moment ago',
  enrolment_token: 'its id was made a moment ago',
  job: 'its id was made a moment ago',
  attempt: 'the row of its job is held',
  key_secret_before: 'the row of its key is held',
  log_chunk: 'the row of its stream is held',
  metric_point: 'PostgreSQL gives the number',
};
/** Columns of unique indexes that an update sets, by the statement that does, and who decides. */
const RENAMED: Readonly<Record<string, string>> = {
  'FOREIGN_STORE worker.adapter': 'FOREIGN_LOCK is held',
  'FOREIGN_STORE worker.foreign_id': 'FOREIGN_LOCK is held',
  'WORKER_REFRESH worker.key_id': 'WorkerRegistry.enrol does it again',
};
const UNIQUE = `
  select distinct tabled.relname as table_name, columned.attname as column_name
  from pg_index
  join pg_class tabled on tabled.oid = pg_index.indrelid and not tabled.relispartition and tabled.relnamespace = 'public'::regnamespace
  join pg_attribute columned on columned.attrelid = tabled.oid and columned.attnum = any(pg_index.indkey)
  where pg_index.indisunique
`;

describe('a row that can be there once only', () => {
  const database = bareDatabase();

  async function uniqueColumns(): Promise<{ table_name: string; column_name: string }[]> {
    return (await database.client.query<{ table_name: string; column_name: string }>(UNIQUE)).rows;
  }

  it('is inserted by whoever passes by a second one, or cannot meet one', async () => {
    const tables = new Set((await uniqueColumns()).map(({ table_name }) => table_name));
    const plain = writtenStatements().flatMap(({ text }) =>
      [...text.matchAll(/insert\s+into\s+(\w+)((?:(?!insert\s+into)[^])*)/g)].flatMap(([, table = '', rest = '']) => (/on conflict/.test(rest) ? [] : [table])),
    );
    expect([...new Set(plain)].filter((table) => tables.has(table)).sort()).toEqual(Object.keys(ALONE).sort());
  });

  it('is made of another one only where somebody decides between two', async () => {
    const columns = new Set((await uniqueColumns()).map(({ table_name, column_name }) => `${table_name}.${column_name}`));
    const renamed = writtenStatements().flatMap((statement) =>
      columnsSet(statement).filter((column) => columns.has(column)).map((column) => `${statement.name} ${column}`),
    );
    expect(renamed.sort()).toEqual(Object.keys(RENAMED).sort());
  });

  it('is asked for again by who came second all the same: what PostgreSQL refused is no fault of ours', async () => {
    const insert = `insert into replica (id) values ('twice')`;
    await database.client.query(insert);
    const refused: unknown = await database.client.query(insert).catch((error: unknown) => error);
    expect(toRefusal(refused)).toMatchObject({ code: 'unavailable', parts: { retryAfterSeconds: expect.any(Number) } });
  });
});
