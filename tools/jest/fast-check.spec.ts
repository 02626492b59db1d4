import { execFileSync } from 'node:child_process';
import fc from 'fast-check';

describe('cases that fast-check draws', () => {
  it('are those of the commit that is tested, the same ones each time', () => {
    const drawn = (): number[] => fc.sample(fc.integer(), 5);

    expect(drawn()).toEqual(drawn());
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
    expect(fc.readConfigureGlobal()?.seed).toBe(Number(process.env.FAST_CHECK_SEED ?? Number.parseInt(commit.slice(0, 7), 16)));
  });
});
