import type { ServerCommand, ServerContext } from '@muster/domain';
import type { AttemptId } from '@muster/protocol';
import type { FreshDatabase } from '@muster/testing';
import { Database } from '../../src/database/database.js';
import { decideBatch } from '../../src/engine/decide-batch.js';
import { LaneKeeper } from '../../src/jobs/lane-keeper.js';
import { insertKey } from '../../src/keys/keys.service.js';
import { log, testDatabase } from '../control-plane-harness.js';
import { Model } from './model.js';
import { RACES } from './race-cases.js';
import { RACE_MS } from './races.js';
import { aProfile, clearFacts, plainFacts, putFacts, readFacts, type Putter } from './stored-facts.js';

describe('a batch', () => {
  let fresh: FreshDatabase;
  let database: Database;
  let putter: Putter;
  beforeAll(async () => {
    fresh = await testDatabase();
    database = new Database(fresh.url, log);
    const key = await database.transaction((connection) => insertKey(connection, { name: 'workers', role: 'worker', owner: 'team' }, 'test'));
    putter = { keyId: key.id, lanes: new LaneKeeper(), profileOf: aProfile };
  });
  afterAll(async () => {
    await database?.end();
    await fresh?.drop();
  });

  const contextAt = (index: number): ServerContext => ({
    nowMs: RACE_MS, workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 15_000, newAttemptIds: [`att_new_${index}` as AttemptId], jitter: 0.5,
  });

  async function decideTogether(rows: Model['slice'], commands: readonly ServerCommand[]): Promise<Model> {
    await clearFacts(database);
    await database.transaction((connection) => putFacts(connection, rows, putter));
    const model = new Model(rows);
    const expected = commands.map((command, index) => model.decide(command, contextAt(index)).reply);
    let decided = 0;
    const stored = await database.lane('transitions').transaction((connection) => decideBatch(connection, commands, () => contextAt(decided++)));
    expect(stored.replies).toEqual(expected);
    expect(plainFacts(await readFacts(database))).toEqual(plainFacts(model.slice));
    return model;
  }

  it('stores whole an attempt that one of its commands makes and another ends', async () => {
    const lost = RACES.find(({ name }) => name === 'a claim and the return of a lost process');
    if (lost === undefined) throw new Error('There is no such race.');
    const [attempt] = lost.rows.attempts.values();
    const [worker] = lost.rows.workers.values();
    if (attempt === undefined || worker === undefined) throw new Error('The race has no rows.');
    const hello = { type: 'hello', workerId: worker.id, slots: 1, gpusHeld: [] } as const;
    const model = await decideTogether(lost.rows, [
      { ...hello, session: 2, instanceId: '0000000002-a', executions: [{ attemptId: attempt.id, epoch: attempt.epoch, state: 'running' }] },
      // Its next start comes before the batch is committed, and knows nothing of the process.
      { ...hello, session: 0, instanceId: '0000000003-a', executions: [] },
    ]);
    expect(model.slice.attempts.get('att_new_0' as AttemptId)).toMatchObject({ state: 'ended', outcome: 'lost', endedMs: RACE_MS });
  });
});
