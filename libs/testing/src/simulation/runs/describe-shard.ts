import { complaints, never, profilesOf, runShard } from './shard.js';

/** The tests of one shard; each has a file of its own, so that Jest's workers share them. */
export function describeShard(shard: number): void {
  describe.each(profilesOf(shard))(`the schedules of shard ${shard}, profile %s`, (profile) => {
    let run: ReturnType<typeof runShard>;
    beforeAll(() => {
      run = runShard(shard, profile);
    }, 600_000);

    test('keep every promise and come to rest after healing', () => {
      expect(complaints(run)).toEqual([]);
    });

    test('meet everything that can go wrong', () => {
      expect(never(run)).toEqual([]);
    });
  });
}
