import type { Offer } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { Database } from '../src/database/database.js';
import { sql } from '../src/database/sql.js';
import { LogChunks } from '../src/logs/log-chunks.js';
import { LogTargets } from '../src/logs/log-targets.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { LogEventReader } from './log-events.js';
import { restAs } from './rest.js';

jest.setTimeout(120_000);

const LOCK_STREAM = sql`select 1 as found from log_stream where log_id = $1 and stream = 'output' for update`;
const PROVE_STREAM = sql`update log_stream set final_length = 9 where log_id = $1 and stream = 'output'`;
const LANE_WAITS = sql`
  select 1 as found
  from pg_stat_activity
  where datname = current_database() and application_name = 'muster logs' and wait_event_type = 'Lock'
`;
/** As another replica does that the agent was connected to meanwhile. */
const APPEND_ELSEWHERE = sql`
  with moved as (
    update log_stream set stored_length = 6 where log_id = $1 and stream = 'output'
  )
  insert into log_chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, read_at, bytes)
  values ($1, 'output', 3, 3, 0, 0, 'identity', now(), 'def'::bytea)
`;
/** The same of a stream that this one never heard of. */
const BEGIN_ELSEWHERE = sql`
  with made as (
    insert into log_stream (log_id, stream, stored_length) values ($1, 'output', 3)
  )
  insert into log_chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, read_at, bytes)
  values ($1, 'output', 0, 3, 0, 0, 'identity', now(), 'abc'::bytea)
`;
/** As a database does that was restored from before. */
const FORGET = sql`
  with lost as (
    delete from log_chunk where log_id = $1
  )
  update log_stream set stored_length = 0, line_count = 0 where log_id = $1
`;
const STORED = sql`select convert_from(bytes, 'UTF8') as text, start_offset from log_chunk where log_id = $1 and encoding = 'identity' order by start_offset`;

let harness: Harness;
let agent: FakeAgent;
beforeAll(async () => {
  harness = await startHarness();
  agent = await harness.agent({ slots: 50 });
});
afterAll(() => harness?.stop());
afterEach(() => jest.restoreAllMocks());

async function running(): Promise<Offer> {
  await harness.submit();
  const offer = await agent.nextOffer();
  await agent.start(offer);
  return offer;
}

/** How many statements the lane that stores logs has run since. */
function countStatements(): () => number {
  const lane = harness.controlPlane.app.get(Database).lane('logs');
  const spies = [jest.spyOn(lane, 'query'), jest.spyOn(lane, 'execute'), jest.spyOn(lane, 'transaction')];
  return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
}

const plain = (offer: Offer, offset: number, text: string): Promise<unknown> =>
  agent.call('log:append', {
    attemptId: offer.attemptId, epoch: offer.epoch, stream: 'output', offset, rawLength: text.length, encoding: 'identity',
    readAt: new Date().toISOString(), bytes: Buffer.from(text),
  });

describe('storing a log', () => {
  it('takes two statements for the first chunk of a stream, and one for each batch that goes on', async () => {
    const offer = await running();
    const statements = countStatements();
    await agent.log(offer, 0, 'a');
    expect(statements()).toBe(2);
    await agent.log(offer, 1, 'b');
    await agent.log(offer, 2, 'c');
    expect(statements()).toBe(4);
  });

  it('takes one statement for all chunks of many jobs that came while the last batch was stored', async () => {
    const [busy, ...offers] = [await running(), await running(), await running(), await running()];
    for (const offer of [busy, ...offers]) await agent.log(offer as Offer, 0, 'a');
    const statements = countStatements();
    let answers: Promise<unknown[]> = Promise.resolve([]);
    await harness.database.transaction(async (blocker) => {
      await blocker.query(LOCK_STREAM, [busy?.attemptId]);
      const blocked = agent.log(busy as Offer, 1, 'b');
      await eventually('the lane waits', async () => (await harness.database.query(LANE_WAITS)).length > 0);
      const rest = offers.flatMap((offer) => Array.from({ length: 20 }, (_, index) => plain(offer, 1 + index, 'b')));
      answers = Promise.all([blocked, ...rest]);
      // A beat sent after them is answered, so they wait in the lane: they need no unpacking.
      await agent.beat(offers.map(({ attemptId, epoch }) => ({ attemptId, epoch, state: 'running' as const })));
    });
    expect((await answers).slice(1)).toEqual(offers.flatMap(() => Array.from({ length: 20 }, (_, index) => ({ ok: { storedLength: 2 + index } }))));
    // The one that was blocked, and all the others.
    expect(statements()).toBe(2);
  });
});

describe('what a replica remembers of a stream', () => {
  it('gives way to what another replica stored', async () => {
    const offer = await running();
    await plain(offer, 0, 'abc');
    await harness.database.execute(APPEND_ELSEWHERE, [offer.attemptId]);
    expect(await plain(offer, 3, 'xyz')).toEqual({ ok: { storedLength: 6 } });
    expect(await plain(offer, 6, 'ghi')).toEqual({ ok: { storedLength: 9 } });
    expect((await harness.database.query<{ text: string }>(STORED, [offer.attemptId])).map(({ text }) => text)).toEqual(['abc', 'def', 'ghi']);
  });

  it('is never what a repeated chunk is answered by: a database that lost bytes gets them again', async () => {
    const offer = await running();
    await plain(offer, 0, 'abc');
    await harness.database.execute(FORGET, [offer.attemptId]);
    expect(await plain(offer, 3, 'def')).toEqual({ ok: { storedLength: 0 } });
    expect(await plain(offer, 0, 'abc')).toEqual({ ok: { storedLength: 3 } });
    await harness.database.execute(FORGET, [offer.attemptId]);
    expect(await plain(offer, 0, 'abc')).toEqual({ ok: { storedLength: 3 } });
    expect(await harness.database.query(STORED, [offer.attemptId])).toHaveLength(1);
  });

  it('is read anew once for a batch of repeated chunks, of which it remembers one stream and not the other', async () => {
    const [busy, known, unknown] = [await running(), await running(), await running()];
    for (const offer of [busy, known]) await plain(offer, 0, 'abc');
    await harness.database.execute(BEGIN_ELSEWHERE, [unknown.attemptId]);
    const statements = countStatements();
    let answers: Promise<unknown[]> = Promise.resolve([]);
    await harness.database.transaction(async (blocker) => {
      await blocker.query(LOCK_STREAM, [busy.attemptId]);
      const blocked = plain(busy, 3, 'def');
      await eventually('the lane waits', async () => (await harness.database.query(LANE_WAITS)).length > 0);
      answers = Promise.all([blocked, plain(known, 0, 'abc'), plain(unknown, 0, 'abc')]);
      // A beat sent after them is answered, so they wait in the lane: they need no unpacking.
      await agent.beat([]);
    });
    expect(await answers).toEqual([6, 3, 3].map((storedLength) => ({ ok: { storedLength } })));
    // What was blocked, the stream that is not known, and then both.
    expect(statements()).toBe(3);
  });

  it('holds when the end of the attempt is stored while a chunk waits for the row', async () => {
    const offer = await running();
    await plain(offer, 0, 'abc');
    let waiting: Promise<unknown> = Promise.resolve();
    const statements = countStatements();
    await harness.database.transaction(async (end) => {
      await end.execute(PROVE_STREAM, [offer.attemptId]);
      waiting = plain(offer, 3, 'def');
      await eventually('the lane waits', async () => (await harness.database.query(LANE_WAITS)).length > 0);
    });
    expect(await waiting).toEqual({ ok: { storedLength: 6 } });
    expect(statements()).toBe(1);
  });
});

describe('a follower', () => {
  it('on the replica that stores gets new bytes without reading them back', async () => {
    const viewer = await restAs(harness, 'viewer');
    const { jobId, offer } = await followed();
    const reader = await LogEventReader.open(viewer, jobId);
    await eventually('the first bytes', () => reader.text === 'first ');
    // From here on it stands where the log ends.
    await agent.log(offer, 6, 'x');
    await eventually('the next byte', () => reader.text === 'first x');
    await stopTheClock(jobId);
    const read = jest.spyOn(harness.controlPlane.app.get(LogChunks), 'read');
    let text = 'first x';
    for (let index = 0; index < 30; index++) {
      await agent.log(offer, text.length, `${index},`);
      text += `${index},`;
    }
    await eventually('all that was printed', () => reader.text === text);
    expect(read.mock.calls.filter(([, from, to]) => from < to)).toEqual([]);
    reader.close();
  });

  /** From here on every look at the database finds what there is now: bytes that come later were handed over. */
  async function stopTheClock(jobId: string): Promise<void> {
    const targets = harness.controlPlane.app.get(LogTargets);
    const look = jest.spyOn(targets, 'followed').mockResolvedValue(await targets.followed(jobId, undefined));
    // One look begins when the last one is over.
    await eventually('no look is under way that began before', () => look.mock.calls.length > 0);
  }

  it('on another replica is told of new bytes and reads them', async () => {
    const replica = await harness.startReplica();
    const viewer = await restAs(harness, 'viewer');
    const { jobId, offer } = await followed();
    const reader = await LogEventReader.open({ url: replica.url, key: viewer.key }, jobId);
    await eventually('the first bytes', () => reader.text === 'first ');
    for (const [index, word] of ['one ', 'two ', 'three'].entries()) await agent.log(offer, 6 + 4 * index, word);
    await eventually('the rest', () => reader.text === 'first one two three');
    reader.close();
    await replica.stop();
  });

  async function followed(): Promise<{ jobId: string; offer: Offer }> {
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    await agent.log(offer, 0, 'first ');
    return { jobId, offer };
  }
});
