import { relyingOn } from './uptime.js';

/** A machine whose awake time, wall clock and uptime are moved by hand. */
function machine(): { now: { awakeMs: number; wallMs: number; uptimeMs: number | undefined }; reads: () => number; read: () => number | undefined } {
  const now: { awakeMs: number; wallMs: number; uptimeMs: number | undefined } = { awakeMs: 0, wallMs: 1_000_000, uptimeMs: 50_000 };
  let count = 0;
  const clocks = { awakeMs: () => now.awakeMs, wallMs: () => now.wallMs };
  const read = relyingOn(() => {
    count += 1;
    return now.uptimeMs;
  }, clocks);
  return { now, read, reads: () => count };
}

describe('a reading of the uptime', () => {
  it('is counted on from for a moment, and then taken anew', () => {
    const { now, read, reads } = machine();
    expect(read()).toBe(50_000);
    Object.assign(now, { awakeMs: 99, wallMs: 1_000_099, uptimeMs: 50_090 });
    expect([read(), reads()]).toEqual([50_099, 1]);
    Object.assign(now, { awakeMs: 100, wallMs: 1_000_100, uptimeMs: 50_100 });
    expect([read(), reads()]).toEqual([50_100, 2]);
  });

  it('is taken anew as soon as the machine wakes, because the wall clock went on without the other', () => {
    const { now, read } = machine();
    read();
    Object.assign(now, { awakeMs: 1, wallMs: 4_600_001, uptimeMs: 3_650_001 });
    expect(read()).toBe(3_650_001);
  });

  it('is taken anew when the wall clock was set back', () => {
    const { now, read, reads } = machine();
    read();
    Object.assign(now, { awakeMs: 5, wallMs: 999_000, uptimeMs: 50_005 });
    expect([read(), reads()]).toEqual([50_005, 2]);
  });

  it('is asked for each time where there is none', () => {
    const { now, read, reads } = machine();
    now.uptimeMs = undefined;
    expect([read(), read(), reads()]).toEqual([undefined, undefined, 2]);
  });
});
