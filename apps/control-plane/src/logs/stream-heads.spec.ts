import type { AttemptId, WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { StreamHeads, type StreamHead, type Writer } from './stream-heads.js';

const WORKER = 'wrk_01JDABCDEF0123456789ABCDEF' as WorkerId;
const writerOf = (number: number): Writer => ({ attemptId: `att_${String(number).padStart(26, '0')}` as AttemptId, workerId: WORKER, stream: 'output' });
const headOf = ({ attemptId }: Writer): StreamHead => ({ logId: attemptId, length: 7, lines: 1 });

/** Answers for every attempt it is asked about, unless its length is `none`: that one is not the sender's. */
function databaseWith(lengthOf: (attemptId: AttemptId, look: number) => number | null | 'none'): { connection: Connection; asked: AttemptId[][] } {
  const asked: AttemptId[][] = [];
  const query = async <Row>(_statement: unknown, values: readonly unknown[] = []): Promise<Row[]> => {
    const attempts = values[0] as AttemptId[];
    asked.push(attempts);
    const rows = attempts.map((attempt) => {
      const length = lengthOf(attempt, asked.length);
      const known = { attempt_id: attempt, worker_id: WORKER, stream: 'output', log_id: attempt };
      return { ...known, stored_length: length, line_count: length === null ? null : 1 };
    });
    return rows.filter(({ stored_length: length }) => length !== 'none') as Row[];
  };
  return { connection: { query, execute: () => Promise.reject(new Error('Nothing is stored here.')) }, asked };
}

describe('where streams stand', () => {
  it('is known for every stream of a batch, also for one that is forgotten for a new one meanwhile', async () => {
    const { connection, asked } = databaseWith(() => 7);
    const heads = new StreamHeads(1_000, 3);
    const [quiet, second, third, newcomer] = [1, 2, 3, 4].map(writerOf) as [Writer, Writer, Writer, Writer];
    for (const writer of [quiet, second, third]) heads.keep(writer, headOf(writer));
    const open = await heads.of(connection, [quiet, newcomer]);
    expect([quiet, newcomer].map((writer) => open.of(writer))).toEqual([headOf(quiet), headOf(newcomer)]);
    expect([quiet, newcomer].map((writer) => open.isFresh(writer))).toEqual([false, true]);
    expect(asked).toEqual([[newcomer.attemptId]]);
  });

  it('is known for a batch of more streams than are remembered', async () => {
    const { connection } = databaseWith(() => 7);
    const writers = Array.from({ length: 10 }, (_, index) => writerOf(index));
    const open = await new StreamHeads(1_000, 3).of(connection, writers);
    expect(writers.map((writer) => open.of(writer))).toEqual(writers.map(headOf));
  });

  it('is unknown only where the database answers that the sender may not write', async () => {
    const [mine, other] = [1, 2].map(writerOf) as [Writer, Writer];
    const { connection } = databaseWith((attempt) => (attempt === other.attemptId ? 'none' : 7));
    const open = await new StreamHeads(1_000).of(connection, [mine, other]);
    expect([mine, other].map((writer) => open.of(writer))).toEqual([headOf(mine), undefined]);
  });

  it('is asked again while another transaction makes the row', async () => {
    const writer = writerOf(1);
    const { connection, asked } = databaseWith((_attempt, look) => (look < 3 ? null : 7));
    const open = await new StreamHeads(1_000).of(connection, [writer]);
    expect(open.of(writer)).toEqual(headOf(writer));
    expect(asked).toHaveLength(3);
  });

  it('fails when a row never shows its length, instead of calling a log gone that is not', async () => {
    const { connection } = databaseWith(() => null);
    await expect(new StreamHeads(1_000).of(connection, [writerOf(1)])).rejects.toMatchObject({ code: 'guardFailed' });
  });
});
