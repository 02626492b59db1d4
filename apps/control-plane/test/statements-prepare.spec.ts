import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Statement } from '../src/database/sql.js';
import { bareDatabase } from './bare-database.js';

jest.setTimeout(120_000);

const SOURCE = join(import.meta.dirname, '../src');

/** Every statement that some module exports, by the module's path and its name there. */
async function exportedStatements(): Promise<{ name: string; statement: Statement }[]> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.sql.ts'));
  const found = await Promise.all(
    files.map(async (path) => {
      const exported = (await import(join(SOURCE, path))) as Record<string, unknown>;
      return Object.entries(exported).flatMap(([name, value]) =>
        value instanceof Statement ? [{ name: `${relative('.', path)} ${name}`, statement: value }] : [],
      );
    }),
  );
  return found.flat();
}

describe('the written SQL', () => {
  const database = bareDatabase();

  it('is understood by PostgreSQL, every statement, on the migrated schema', async () => {
    const statements = await exportedStatements();
    expect(statements.length).toBeGreaterThan(40);
    const complaints: string[] = [];
    for (const [index, { name, statement }] of statements.entries()) {
      // Statements that set something have no plan to prepare.
      if (/^(set|select pg_advisory)/.test(statement.text)) continue;
      await database.client.query(`prepare tried_${index} as ${statement.text}`).catch((error: Error) => complaints.push(`${name}: ${error.message}`));
    }
    expect(complaints).toEqual([]);
  });

  it('has a name of its own for each text', async () => {
    const statements = await exportedStatements();
    const byName = new Map(statements.map(({ statement }) => [statement.name, statement.text]));
    expect(new Set(statements.map(({ statement }) => statement.text)).size).toBe(byName.size);
  });
});
