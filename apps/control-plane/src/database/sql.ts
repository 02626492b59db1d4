import { createHash } from 'node:crypto';

/** One written statement. Sent by name, so that each connection parses and plans it once. */
export class Statement {
  /** Derived from the text: the same text has the same name everywhere. */
  readonly name: string;

  constructor(readonly text: string) {
    this.name = createHash('sha256').update(text).digest('hex').slice(0, 24);
  }
}

/**
 * Marks a text as SQL. Refuses `${}`: values travel as parameters, and two variants are two statements, so that the
 * reader sees the query that runs and `statements-prepare.spec.ts` can try it.
 */
export function sql(parts: TemplateStringsArray, ...values: readonly never[]): Statement {
  if (values.length > 0) throw new Error('SQL is one constant text: pass values as parameters ($1).');
  return new Statement(parts.join('').trim());
}
