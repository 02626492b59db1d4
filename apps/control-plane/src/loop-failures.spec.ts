import type { Logger } from '@muster/runtime';
import { DatabaseUnavailable } from './database/database-errors.js';
import { tellFailures } from './loop-failures.js';

describe('failures of a loop', () => {
  it('are told each time, but an outage of the database once', () => {
    const told: unknown[] = [];
    const onError = tellFailures({ warn: (fields: { err: unknown }) => told.push(fields.err) } as Partial<Logger> as Logger, 'failed');
    const [outage, bug] = [new DatabaseUnavailable(new Error('no answer')), new Error('bug')];
    for (const [index, error] of [outage, outage, bug, outage].entries()) onError(error, index + 1);
    expect(told).toEqual([outage, bug]);
  });
});
