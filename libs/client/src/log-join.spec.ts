import type { LogFollowEvent } from '@muster/protocol';
import fc from 'fast-check';
import { LogJoin, type LogEvent, type LogHole } from './log-join.js';

const log = (offset: number, text: string, stream = 'output'): LogFollowEvent => ({
  type: 'log',
  attemptId: 'att_1',
  stream,
  offset,
  base64: Buffer.from(text).toString('base64'),
  readAt: '2026-11-22T10:00:00.000Z',
});

const text = (taken: readonly LogEvent[] | LogHole): string => {
  if (!('length' in taken && Array.isArray(taken))) throw new Error('a hole');
  return taken
    .map((event) => (event.type === 'log' ? Buffer.from(event.bytes).toString() : `<${event.type}>`))
    .join('');
};

describe('joining a log', () => {
  it('delivers what follows and drops what came before', () => {
    const join = new LogJoin();
    expect(text(join.take(log(0, 'abc')))).toBe('abc');
    expect(text(join.take(log(0, 'abc')))).toBe('');
    expect(text(join.take(log(3, 'def')))).toBe('def');
  });

  it('trims a piece that overlaps what was delivered', () => {
    const join = new LogJoin();
    join.take(log(0, 'abcd'));
    expect(join.take(log(2, 'cdef'))).toMatchObject([{ offset: 4 }]);
    expect(text(join.take(log(5, 'fgh')))).toBe('gh');
  });

  it('refuses a piece with a hole before it and names the hole', () => {
    const join = new LogJoin();
    join.take(log(0, 'abc'));
    expect(join.take(log(10, 'x'))).toEqual({ attemptId: 'att_1', stream: 'output', offset: 3, length: 7 });
    expect(text(join.take(log(3, 'defghij')))).toBe('defghij');
  });

  it('goes on behind a hole that was given up, and says so', () => {
    const join = new LogJoin();
    join.take(log(0, 'abc'));
    const hole = join.take(log(10, 'x')) as LogHole;
    expect(join.skip(hole)).toMatchObject({ type: 'gap', offset: 3, length: 7 });
    expect(text(join.take(log(10, 'x')))).toBe('x');
  });

  it('counts a gap that the store itself has as delivered', () => {
    const join = new LogJoin();
    join.take(log(0, 'abc'));
    expect(text(join.take({ type: 'gap', attemptId: 'att_1', stream: 'output', offset: 3, length: 100 }))).toBe(
      '<gap>',
    );
    expect(text(join.take(log(103, 'x')))).toBe('x');
  });

  it('keeps streams and attempts apart', () => {
    const join = new LogJoin();
    join.take(log(0, 'abc', 'stdout'));
    expect(text(join.take(log(0, 'abc', 'stderr')))).toBe('abc');
    expect(text(join.take({ ...log(0, 'abc', 'stdout'), attemptId: 'att_2' } as LogFollowEvent))).toBe('abc');
  });

  it('tells each attempt once and a status only when it changed', () => {
    const join = new LogJoin();
    const attempt: LogFollowEvent = { type: 'attempt', attemptId: 'att_1', number: 1, workerName: 'lab-3' };
    const status: LogFollowEvent = {
      type: 'status',
      status: 'running',
      reason: 'starting',
      reasonDetail: null,
      exitCode: null,
      signal: null,
    };
    expect([attempt, attempt, status, status].map((event) => text(join.take(event)))).toEqual([
      '<attempt>',
      '',
      '<status>',
      '',
    ]);
    expect(text(join.take({ ...status, status: 'completed' }))).toBe('<status>');
  });

  it('delivers every byte once, however connections break and begin again', () => {
    const place = fc.nat({ max: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(place, place), { maxLength: 40 }), (resumptions) => {
        const whole = Array.from({ length: 60 }, (_, i) => String.fromCharCode(65 + (i % 26))).join('');
        const join = new LogJoin();
        let read = text(join.take(log(0, whole.slice(0, 5))));
        for (const [from, length] of [...resumptions, [read.length, 60], [0, 60]] as const) {
          const taken = join.take(log(from, whole.slice(from, from + length)));
          if (Array.isArray(taken)) read += text(taken);
          else expect(from).toBeGreaterThan(read.length);
          expect(whole.startsWith(read)).toBe(true);
        }
        expect(read).toBe(whole);
      }),
    );
  });
});
