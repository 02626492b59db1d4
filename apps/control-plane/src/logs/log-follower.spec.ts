import type { AttemptId, LogFollowEvent, LogStream, LogStreamState } from '@muster/protocol';
import { formatPlace, parsePlace } from './follow-place.js';
import type { LogPiece } from './log-chunks.js';
import { GIVE_UP_AFTER_MS, LogFollower } from './log-follower.js';
import { toLogState } from './log-state.js';
import type { FollowedAttempt, FollowedJob } from './log-targets.js';

const ONE = 'att_01JDABCDEF0123456789ABCDEF' as AttemptId;
const TWO = 'att_01JDABCDEF0123456789ABCDEG' as AttemptId;

function anAttempt(changes: Partial<FollowedAttempt> = {}, output: Partial<LogStreamState> = {}): FollowedAttempt {
  const state: LogStreamState = { storedLength: 0, finalLength: null, sha256: null, state: 'live', lineCount: 0, ...output };
  return { id: ONE, number: 1, workerName: 'lab-3', logId: ONE, isEnded: false, streams: new Map<LogStream, LogStreamState>([['output', state]]), ...changes };
}

function aJob(changes: Partial<FollowedJob> = {}): FollowedJob {
  return { status: 'running', reason: 'starting', reasonDetail: null, exit: null, isSeparate: false, attempts: [anAttempt()], ...changes };
}

function setup(place: string | undefined = undefined): { follower: LogFollower; sent: LogFollowEvent[]; pass: (ms: number) => void; text: () => string } {
  const sent: LogFollowEvent[] = [];
  let nowMs = 0;
  const follower = new LogFollower({
    // Every byte at offset n is the n-th letter, so that a wrong one shows.
    chunks: {
      async *read(_ref, from, to): AsyncGenerator<LogPiece, void, undefined> {
        if (from >= to) return;
        const bytes = Buffer.from(Array.from({ length: to - from }, (_, index) => 97 + ((from + index) % 26)));
        yield { offset: from, length: to - from, bytes, firstLine: 0, readAt: new Date(0) };
      },
    },
    send: async (event) => void sent.push(event),
    nowMs: () => nowMs,
    place: parsePlace(place),
  });
  const text = (): string => sent.map((event) => (event.type === 'log' ? Buffer.from(event.base64, 'base64').toString() : '')).join('');
  return { follower, sent, text, pass: (ms) => (nowMs += ms) };
}

describe('one turn of a follower', () => {
  it('sends what was stored since the last one', async () => {
    const { follower, text } = setup();
    expect(await follower.turn(aJob({ attempts: [anAttempt({}, { storedLength: 3 })] }))).toBe(false);
    expect(await follower.turn(aJob({ attempts: [anAttempt({}, { storedLength: 3 })] }))).toBe(false);
    expect(await follower.turn(aJob({ attempts: [anAttempt({}, { storedLength: 5 })] }))).toBe(false);
    expect(text()).toBe('abcde');
  });

  it('goes on in the same log when another attempt continues the process', async () => {
    const { follower, sent, text } = setup();
    await follower.turn(aJob({ attempts: [anAttempt({}, { storedLength: 2 })] }));
    const lost = anAttempt({ isEnded: true }, { storedLength: 4, state: 'missing' });
    const reclaimed = anAttempt({ id: TWO, number: 2 }, { storedLength: 4 });
    await follower.turn(aJob({ attempts: [lost, reclaimed] }));
    expect(text()).toBe('abcd');
    expect(sent.filter((event) => event.type === 'attempt').map((event) => event.attemptId)).toEqual([ONE, TWO]);
  });

  it('waits for missing bytes of a final job, and gives up only after none came for long', async () => {
    const { follower, sent, pass } = setup();
    const job = (storedLength: number): FollowedJob =>
      aJob({ status: 'completed', attempts: [anAttempt({ isEnded: true }, { storedLength, finalLength: 9, state: 'draining' })] });
    expect(await follower.turn(job(1))).toBe(false);
    pass(GIVE_UP_AFTER_MS - 1);
    expect(await follower.turn(job(2))).toBe(false);
    pass(GIVE_UP_AFTER_MS - 1);
    expect(await follower.turn(job(2))).toBe(false);
    pass(1);
    expect(await follower.turn(job(2))).toBe(true);
    expect(sent.at(-1)).toEqual({ type: 'end', status: 'completed', logState: 'draining' });
  });

  it('ends a job that never ran with an empty, complete log', async () => {
    const { follower, sent } = setup();
    expect(await follower.turn(aJob({ status: 'cancelled', attempts: [] }))).toBe(true);
    expect(sent.at(-1)).toEqual({ type: 'end', status: 'cancelled', logState: 'complete' });
  });

  it('takes up at a place and leaves out what came before it', async () => {
    const { follower, sent, text } = setup(`${TWO}:output:3`);
    const first = anAttempt({ isEnded: true }, { storedLength: 8, state: 'complete' });
    await follower.turn(aJob({ attempts: [first, anAttempt({ id: TWO, number: 2, logId: TWO }, { storedLength: 5 })] }));
    expect(text()).toBe('de');
    expect(sent.filter((event) => event.type === 'attempt').map((event) => event.attemptId)).toEqual([TWO]);
  });
});

describe('a place', () => {
  it('is written and read back, for one stream and for several', () => {
    for (const text of [`${ONE}:output:12`, `${ONE}:stderr:0:stdout:99`]) {
      const place = parsePlace(text);
      expect(place === null ? null : formatPlace(place)).toBe(text);
    }
    expect(parsePlace(undefined)).toBeNull();
    expect(parsePlace('')).toBeNull();
  });

  it.each([['x'], [ONE], [`${ONE}:output`], [`${ONE}:output:-1`], [`${ONE}:stdin:1`], [`job_x:output:1`], [`${ONE}:output:1:stdout`]])('refuses %s', (text) => {
    expect(() => parsePlace(text)).toThrow('Last-Event-ID');
  });
});

describe('the state of a stream', () => {
  const stored = { stream: 'output', stored_length: 5, line_count: 1 } as const;
  const proof = (length: number): { output: { length: number; sha256: string } } => ({ output: { length, sha256: 'x' } });

  it.each([
    ['live', { state: 'running', outcome: null, startedMs: 1, proofs: {} }],
    ['draining', { state: 'ended', outcome: 'succeeded', startedMs: 1, proofs: proof(6) }],
    ['complete', { state: 'ended', outcome: 'failed', startedMs: 1, proofs: proof(5) }],
    ['missing', { state: 'ended', outcome: 'lost', startedMs: 1, proofs: {} }],
    ['complete', { state: 'ended', outcome: 'refused', startedMs: null, proofs: {} }],
  ] as const)('is %s for an attempt that is %j', (expected, attempt) => {
    expect(toLogState(attempt, stored).state).toBe(expected);
  });
});
