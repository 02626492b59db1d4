import { gapOf, keptRanges, nextPiece, pauseBefore, toLogCap } from './log-plan.js';

const KIB = 1024;
const cap = toLogCap(400 * KIB);

describe('the plan of a log', () => {
  it('keeps a quarter of the cap at the head and the rest at the tail', () => {
    expect(cap).toEqual({ headBytes: 100 * KIB, tailBytes: 300 * KIB });
    expect(toLogCap(1)).toEqual({ headBytes: 0, tailBytes: 1 });
  });

  it('sends a growing log in chunks of at most 64 KiB up to the head', () => {
    expect(nextPiece(cap, { position: 0, sizeBytes: 5, isFinal: false, pieceBytesMax: 64 * KIB })).toEqual({
      kind: 'bytes',
      offset: 0,
      length: 5,
    });
    expect(nextPiece(cap, { position: 0, sizeBytes: 90 * KIB, isFinal: false, pieceBytesMax: 64 * KIB })).toEqual({
      kind: 'bytes',
      offset: 0,
      length: 64 * KIB,
    });
    expect(nextPiece(cap, { position: 64 * KIB, sizeBytes: 900 * KIB, isFinal: false, pieceBytesMax: 64 * KIB })).toEqual({
      kind: 'bytes',
      offset: 64 * KIB,
      length: 36 * KIB,
    });
  });

  it('holds back what lies beyond the head until the log ends', () => {
    expect(nextPiece(cap, { position: 100 * KIB, sizeBytes: 900 * KIB, isFinal: false, pieceBytesMax: 64 * KIB })).toEqual({ kind: 'wait' });
  });

  it('has no gap when the log ends exactly at its cap', () => {
    expect(gapOf(cap, 400 * KIB)).toEqual({ start: 100 * KIB, end: 100 * KIB });
    expect(keptRanges(cap, 400 * KIB)).toEqual([{ start: 0, end: 400 * KIB }]);
  });

  it('sends one gap and then the tail of a log over its cap', () => {
    const total = 400 * KIB + 1;
    expect(nextPiece(cap, { position: 100 * KIB, sizeBytes: total, isFinal: true, pieceBytesMax: 64 * KIB })).toEqual({
      kind: 'gap',
      offset: 100 * KIB,
      length: 1,
    });
    expect(nextPiece(cap, { position: 100 * KIB + 1, sizeBytes: total, isFinal: true, pieceBytesMax: 64 * KIB })).toEqual({
      kind: 'bytes',
      offset: 100 * KIB + 1,
      length: 64 * KIB,
    });
    expect(keptRanges(cap, total)).toEqual([
      { start: 0, end: 100 * KIB },
      { start: 100 * KIB + 1, end: total },
    ]);
  });

  it('goes on within the gap from wherever the server stands', () => {
    expect(nextPiece(cap, { position: 150 * KIB, sizeBytes: 900 * KIB, isFinal: true, pieceBytesMax: 64 * KIB })).toEqual({
      kind: 'gap',
      offset: 150 * KIB,
      length: 450 * KIB,
    });
  });

  it('is drained at the end, and also where the server has more than the file', () => {
    expect(nextPiece(cap, { position: 0, sizeBytes: 0, isFinal: true, pieceBytesMax: 64 * KIB })).toEqual({ kind: 'drained' });
    expect(nextPiece(cap, { position: 9, sizeBytes: 5, isFinal: true, pieceBytesMax: 64 * KIB })).toEqual({ kind: 'drained' });
  });
});

describe('a piece that could be sent', () => {
  const traffic = { isWhole: false, isProbing: false, inFlight: 0, inFlightMax: 16, sinceSentMs: 0 };

  it('goes at once when nothing is on its way', () => {
    expect(pauseBefore(traffic)).toBe(0);
    expect(pauseBefore({ ...traffic, isProbing: true })).toBe(0);
  });

  it('goes at once when it is whole and there is room', () => {
    expect(pauseBefore({ ...traffic, isWhole: true, inFlight: 15 })).toBe(0);
    expect(pauseBefore({ ...traffic, isWhole: true, inFlight: 16 })).toBe(Infinity);
  });

  it('waits a moment when it is a part and others are on their way, and for an answer when these are several', () => {
    expect(pauseBefore({ ...traffic, inFlight: 1, sinceSentMs: 5 })).toBe(15);
    expect(pauseBefore({ ...traffic, inFlight: 3, sinceSentMs: 20 })).toBe(0);
    expect(pauseBefore({ ...traffic, inFlight: 4, sinceSentMs: 500 })).toBe(Infinity);
    expect(pauseBefore({ ...traffic, inFlight: 1, inFlightMax: 1, sinceSentMs: 500 })).toBe(Infinity);
  });

  it('waits for the answer that tells where the server stands', () => {
    expect(pauseBefore({ ...traffic, isWhole: true, isProbing: true, inFlight: 1, sinceSentMs: 500 })).toBe(Infinity);
  });
});
