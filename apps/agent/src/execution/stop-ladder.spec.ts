import { startLadder, stepLadder, type LadderEvent, type LadderState } from './stop-ladder.js';

/** Walks events and answers step, effects of the last one and when it wants to be asked again. */
function walk(
  isProof: boolean,
  ...events: [nowMs: number, event: LadderEvent][]
): [LadderState['step'], readonly string[], number | null] {
  let state = startLadder(isProof);
  let last: [LadderState['step'], readonly string[], number | null] = ['running', [], null];
  for (const [nowMs, event] of events) {
    const move = stepLadder(state, event, nowMs);
    state = move.state;
    last = [move.state.step, move.effects, move.tickAtMs];
  }
  return last;
}

const stop = (graceMs: number): LadderEvent => ({ kind: 'stop', graceMs });
const force: LadderEvent = { kind: 'force' };
const heard: LadderEvent = { kind: 'heard' };
const tick: LadderEvent = { kind: 'tick' };
const mainExited: LadderEvent = { kind: 'mainExited' };
const nobody: LadderEvent = { kind: 'looked', isEmpty: true };
const somebody: LadderEvent = { kind: 'looked', isEmpty: false };

describe('the stop ladder', () => {
  it('asks first, and asks again until somebody hears', () => {
    expect(walk(true, [0, stop(10_000)])).toEqual(['asked', ['signal'], 20]);
    expect(walk(true, [0, stop(10_000)], [20, tick])).toEqual(['asked', ['signal'], 40]);
    expect(walk(true, [0, stop(10_000)], [0, heard])).toEqual(['asked', [], 10_000]);
  });

  it('insists when the grace is over, and not before', () => {
    expect(walk(true, [0, stop(500)], [0, heard], [499, tick])).toEqual(['asked', [], 500]);
    expect(walk(true, [0, stop(500)], [0, heard], [500, tick])).toEqual(['killing', ['kill', 'look'], null]);
  });

  it('never begins the grace anew', () => {
    expect(walk(true, [0, stop(500)], [0, heard], [400, stop(9_000)], [500, tick])[0]).toBe('killing');
  });

  it('goes straight to KILL when forced, also in the middle of a grace', () => {
    expect(walk(true, [0, force])).toEqual(['killing', ['kill', 'look'], null]);
    expect(walk(true, [0, stop(500)], [1, force])).toEqual(['killing', ['kill', 'look'], null]);
    expect(walk(true, [0, force], [1, force])[1]).toEqual([]);
  });

  it('takes an ordinary end of an empty tree for the end', () => {
    for (const isProof of [true, false]) {
      expect(walk(isProof, [0, mainExited])).toEqual(['checking', ['look'], null]);
      expect(walk(isProof, [0, mainExited], [1, nobody])).toEqual(['empty', [], null]);
    }
  });

  it('kills what outlived the main process', () => {
    expect(walk(true, [0, mainExited], [1, somebody])).toEqual(['killing', ['kill', 'look'], null]);
    expect(walk(true, [0, mainExited], [1, somebody], [1, somebody])).toEqual(['killing', ['kill'], 2]);
    expect(walk(true, [0, mainExited], [1, somebody], [2, nobody])).toEqual(['empty', [], null]);
  });

  it('looks twice, 200 ms apart, where a look is no proof', () => {
    const killed: [number, LadderEvent][] = [
      [0, mainExited],
      [1, somebody],
      [2, nobody],
    ];
    expect(walk(false, ...killed)).toEqual(['killing', [], 202]);
    expect(walk(false, ...killed, [202, tick], [203, nobody])[0]).toBe('empty');
    expect(walk(false, ...killed, [202, tick], [203, somebody])).toEqual(['killing', ['kill'], 204]);
    expect(walk(false, [0, stop(10)], [0, heard], [5, mainExited], [6, nobody])).toEqual(['checking', [], 206]);
  });

  it('looks twice also at a tree that an earlier agent left, where a look is no proof', () => {
    const begin = (isProof: boolean): LadderState =>
      stepLadder(stepLadder(startLadder(isProof, true), mainExited, 0).state, nobody, 1).state;
    expect([begin(true).step, begin(false).step]).toEqual(['empty', 'checking']);
    expect(stepLadder(begin(false), nobody, 201).state.step).toBe('empty');
  });

  it('never calls a tree empty before the end of the main process is on disk', () => {
    expect(walk(true, [0, force], [1, nobody])).toEqual(['killing', [], 2]);
    expect(walk(true, [0, force], [1, nobody], [3, mainExited])).toEqual(['killing', ['look'], null]);
    expect(walk(true, [0, force], [1, nobody], [3, mainExited], [4, nobody])[0]).toBe('empty');
  });

  it('gives up 60 s after the first KILL', () => {
    expect(walk(true, [0, force], [59_999, somebody])[0]).toBe('killing');
    expect(walk(true, [0, force], [60_000, somebody])).toEqual(['unkillable', [], null]);
  });

  it('looks less and less often at what does not go, five times a second at the least', () => {
    const events: [number, LadderEvent][] = [[0, force]];
    let nowMs = 0;
    for (let i = 0; i < 12; i++) events.push([(nowMs += 1), somebody]);
    expect(walk(true, ...events)[2]).toBe(nowMs + 200);
  });

  it('is over when it is over', () => {
    for (const event of [stop(1), force, mainExited, somebody, tick, heard]) {
      expect(walk(true, [0, mainExited], [1, nobody], [2, event])).toEqual(['empty', [], null]);
    }
  });
});
