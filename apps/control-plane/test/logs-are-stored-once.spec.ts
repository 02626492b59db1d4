import { gzipSync } from 'node:zlib';
import { sql } from '../src/database/sql.js';
import type { Offer } from '@muster/protocol';
import type { FakeAgent } from '@muster/testing';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(120_000);

const CHUNKS = sql`
  select start_offset, raw_length, first_line, line_count, encoding, bytes
  from log_chunk
  where log_id = $1 and stream = 'output'
  order by start_offset
`;
const AGE_END = sql`update attempt set ended_at = now() - interval '31 days' where id = $1`;

interface ChunkRow { start_offset: number; raw_length: number; first_line: number; line_count: number; encoding: string; bytes: Buffer }

describe('a log chunk', () => {
  let harness: Harness;
  let agent: FakeAgent;
  beforeAll(async () => {
    harness = await startHarness();
    agent = await harness.agent({ slots: 50 });
  });
  afterAll(() => harness?.stop());

  async function running(): Promise<Offer> {
    await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    return offer;
  }
  const stored = (offer: Offer): Promise<ChunkRow[]> => harness.database.query<ChunkRow>(CHUNKS, [offer.attemptId]);
  const chunk = (offer: Offer, changes: object): object => ({
    attemptId: offer.attemptId, epoch: offer.epoch, stream: 'output', offset: 0, rawLength: 3, encoding: 'identity',
    readAt: new Date().toISOString(), bytes: Buffer.from('abc'), ...changes,
  });

  it('is stored when it begins where the log ends, with its bytes and lines as they came', async () => {
    const offer = await running();
    expect(await agent.log(offer, 0, 'one\ntwo\n')).toEqual({ storedLength: 8 });
    expect(await agent.log(offer, 8, 'thr')).toEqual({ storedLength: 11 });
    const rows = await stored(offer);
    expect(rows).toMatchObject([
      { start_offset: 0, raw_length: 8, first_line: 0, line_count: 2, encoding: 'gzip' },
      { start_offset: 8, raw_length: 3, first_line: 2, line_count: 0 },
    ]);
    expect(rows[0]?.bytes).toEqual(gzipSync('one\ntwo\n', { level: 1 }));
  });

  it('sent twice is stored once', async () => {
    const offer = await running();
    await agent.log(offer, 0, 'one\n');
    expect(await agent.log(offer, 0, 'one\n')).toEqual({ storedLength: 4 });
    expect(await stored(offer)).toHaveLength(1);
  });

  it('that begins too early or too late stores nothing and is told where to go on', async () => {
    const offer = await running();
    await agent.log(offer, 0, 'one\n');
    expect(await agent.log(offer, 2, 'e\n')).toEqual({ storedLength: 4 });
    expect(await agent.log(offer, 5, 'later\n')).toEqual({ storedLength: 4 });
    expect(await stored(offer)).toHaveLength(1);
  });

  it('among many at once is stored in order, none twice', async () => {
    const offers = await Promise.all([running(), running(), running()]);
    await Promise.all(
      offers.map(async (offer) => {
        const sends = Array.from({ length: 60 }, (_, index) => agent.log(offer, index * 6, `l-${String(index).padStart(3, '0')}\n`));
        const resends = Array.from({ length: 60 }, (_, index) => agent.log(offer, index * 6, `l-${String(index).padStart(3, '0')}\n`));
        await Promise.all([...sends, ...resends]);
      }),
    );
    for (const offer of offers) {
      const rows = await stored(offer);
      expect(rows.map((row) => row.start_offset)).toEqual(Array.from({ length: 60 }, (_, index) => index * 6));
    }
  });

  it('that is a gap moves the end without bytes', async () => {
    const offer = await running();
    const gap = chunk(offer, { rawLength: 5_000_000, encoding: 'gap', bytes: Buffer.alloc(0) });
    expect(await agent.call('log:append', gap)).toEqual({ ok: { storedLength: 5_000_000 } });
    expect(await agent.log(offer, 5_000_000, 'end\n')).toEqual({ storedLength: 5_000_004 });
  });

  it.each([
    ['claims another length than its bytes have', { rawLength: 4 }],
    ['is no gzip', { encoding: 'gzip' }],
    ['unpacks to more than it says', { encoding: 'gzip', rawLength: 100, bytes: gzipSync(Buffer.alloc(60_000)) }],
    ['is a bomb', { encoding: 'gzip', rawLength: 65_536, bytes: gzipSync(Buffer.alloc(200_000_000)) }],
    ['says it is larger than a chunk may be', { encoding: 'gzip', rawLength: 262_145, bytes: gzipSync(Buffer.alloc(262_145)) }],
    ['is a gap with bytes', { encoding: 'gap' }],
    ['has no bytes but text', { bytes: 'abc' }],
    ['names a stream that agents may not write', { stream: 'system' }],
  ])('that %s is refused, and nothing is stored', async (_what, changes) => {
    const offer = await running();
    expect(await agent.call('log:append', chunk(offer, changes))).toMatchObject({ error: { code: 'invalidMessage' } });
    expect(await stored(offer)).toEqual([]);
    // Its neighbours are not harmed.
    expect(await agent.log(offer, 0, 'fine\n')).toEqual({ storedLength: 5 });
  });

  it('of another worker\'s attempt, or of none, is answered as gone', async () => {
    const offer = await running();
    const other = await harness.agent({ slots: 0 });
    expect(await other.log(offer, 0, 'mine?\n')).toEqual({ gone: true });
    expect(await stored(offer)).toEqual([]);
    const unknown = { ...offer, attemptId: 'att_00000000000000000000000000' as Offer['attemptId'] };
    expect(await agent.log(unknown, 0, 'lost\n')).toEqual({ gone: true });
  });

  it('of an ended attempt is taken until the retention time is over', async () => {
    const offer = await running();
    await agent.end(offer);
    expect(await agent.log(offer, 0, 'late\n')).toEqual({ storedLength: 5 });
    await harness.database.execute(AGE_END, [offer.attemptId]);
    expect(await agent.log(offer, 5, 'too late\n')).toEqual({ gone: true });
  });
});
