import pg from 'pg';

/** Statements that reach the database through connections of a pool of this name, as the driver sends them, since it was last asked. */
export type Sent = (pool: string) => string[];

/** Sees every statement from now on, until `jest.restoreAllMocks`. */
export function watchStatements(): Sent {
  const sent = new Map<unknown, string[]>();
  const send: unknown = pg.Client.prototype.query;
  if (typeof send !== 'function') throw new Error('The driver has no query.');
  jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function query(this: pg.Client, ...given: unknown[]): void {
    const [first] = given;
    const text = typeof first === 'object' && first !== null && 'text' in first ? String(first.text) : String(first);
    const pool: unknown = 'connectionParameters' in this ? Reflect.get(Object(this.connectionParameters), 'application_name') : undefined;
    sent.set(pool, [...(sent.get(pool) ?? []), text]);
    return Reflect.apply(send, this, given) as void;
  });
  return (pool) => {
    const texts = sent.get(`muster ${pool}`) ?? [];
    sent.delete(`muster ${pool}`);
    return texts;
  };
}
