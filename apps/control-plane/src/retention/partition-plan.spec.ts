import { toId } from '@muster/protocol';
import { birthBound } from '../birth-bound.js';
import { isRunningOut, momentOfBound, parseBounds, partitionsPast, partitionsToMake, widthMs, type Partition, type PartitionedTable } from './partition-plan.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-22T10:00:00Z');
const LOGS: PartitionedTable = { name: 'log_chunk', cutBy: 'att', retentionMs: 30 * DAY };
const SAMPLES: PartitionedTable = { name: 'sample_raw', cutBy: 'time', retentionMs: DAY, widthMsMin: 3_600_000 };

/** The id that an attempt made at a moment gets, at either end of what chance can give it. */
const firstIdAt = (moment: number): string => toId('att', moment, new Uint8Array(10));
const lastIdAt = (moment: number): string => toId('att', moment, new Uint8Array(10).fill(255));

describe('a bound', () => {
  it('lies before every id made at its moment and behind every one made before', () => {
    expect(birthBound('att', NOW) <= firstIdAt(NOW)).toBe(true);
    expect(birthBound('att', NOW) > lastIdAt(NOW - 1)).toBe(true);
  });

  it('is read back as the moment it stands for, and only if it is one of ours', () => {
    expect(momentOfBound('att', birthBound('att', NOW))).toBe(NOW);
    for (const other of ['', 'job_01JDABCDEF', 'att_01JDABCDE', 'att_01JDABCDEFG', 'att_01JDABCDEU']) expect(momentOfBound('att', other)).toBeNull();
  });
});

describe('the partitions of a table', () => {
  it('are there for three spans ahead and one behind, without a hole between them', () => {
    const partitions = partitionsToMake(LOGS, [], NOW);
    expect(widthMs(LOGS)).toBe(3 * DAY);
    expect(partitions).toHaveLength(4);
    expect(partitions[0]?.firstId).toBe(birthBound('att', NOW - 3 * DAY));
    for (const [index, partition] of partitions.slice(1).entries()) expect(partition.firstId).toBe(partitions[index]?.endId);
    expect(new Set(partitions.map(({ name }) => name)).size).toBe(4);
    expect(partitions.every(({ name }) => /^log_chunk_[0-9a-z]{10}$/.test(name))).toBe(true);
  });

  it('are made once, and then one at a time as time passes', () => {
    const partitions = partitionsToMake(LOGS, [], NOW);
    expect(partitionsToMake(LOGS, partitions, NOW)).toEqual([]);
    const [next, ...more] = partitionsToMake(LOGS, partitions, NOW + DAY);
    expect(next?.firstId).toBe(partitions.at(-1)?.endId);
    expect(more).toEqual([]);
  });

  it('begin a span ago again after an outage that was longer than they reached', () => {
    const partitions = partitionsToMake(LOGS, [], NOW);
    const [first] = partitionsToMake(LOGS, partitions, NOW + 100 * DAY);
    expect(first?.firstId).toBe(birthBound('att', NOW + 97 * DAY));
  });

  it('run out when the newest ends less than a span from now', () => {
    const partitions = partitionsToMake(LOGS, [], NOW);
    expect(isRunningOut(LOGS, partitions, NOW + 6 * DAY)).toBe(false);
    expect(isRunningOut(LOGS, partitions, NOW + 6 * DAY + 1)).toBe(true);
    expect(isRunningOut(LOGS, [], NOW)).toBe(true);
  });

  it('are never shorter than a day, and never begin before ids do', () => {
    expect(widthMs({ retentionMs: 60_000 })).toBe(DAY);
    expect(partitionsToMake({ ...LOGS, retentionMs: 3_650 * DAY }, [], 1_000)[0]?.firstId).toBe('att_0000000000');
  });

  it('are past when the last of what was born in them is older than it is kept, oldest first', () => {
    const partition = (ageDays: number): Partition => ({
      name: `p${ageDays}`, firstId: birthBound('att', NOW - (ageDays + 3) * DAY), endId: birthBound('att', NOW - ageDays * DAY),
    });
    const names = partitionsPast(LOGS, [partition(29), partition(30), partition(60), partition(0)], NOW).map(({ name }) => name);
    expect(names).toEqual(['p60', 'p30']);
  });

  it('of samples are cut by time itself, finer than a day, and are past by that time', () => {
    const partitions = partitionsToMake(SAMPLES, [], NOW);
    expect(widthMs(SAMPLES)).toBe(0.1 * DAY);
    expect(partitions[0]).toMatchObject({ firstId: String(NOW - 0.1 * DAY), endId: String(NOW) });
    expect(partitions.every(({ name }) => /^sample_raw_[0-9a-z]{10}$/.test(name))).toBe(true);
    expect(partitionsToMake(SAMPLES, partitions, NOW)).toEqual([]);
    expect(partitionsPast(SAMPLES, partitions, NOW + DAY - 1)).toEqual([]);
    expect(partitionsPast(SAMPLES, [...partitions].reverse(), NOW + 1.1 * DAY).map(({ name }) => name)).toEqual(partitions.slice(0, 2).map(({ name }) => name));
    expect(momentOfBound('time', 'att_01JDABCDEF')).toBeNull();
  });

  it('are known by the words that PostgreSQL has for their bounds', () => {
    expect(parseBounds("FOR VALUES FROM ('att_01JDABCDEF') TO ('att_01JDABCDEG')")).toEqual({ firstId: 'att_01JDABCDEF', endId: 'att_01JDABCDEG' });
    expect(parseBounds('DEFAULT')).toBeNull();
  });
});
