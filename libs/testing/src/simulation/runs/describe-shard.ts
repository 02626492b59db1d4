import { resolve } from 'node:path';
import { bundle, runOutside } from '../bundle.js';
import type { runRange } from './range.js';
import { complaints, never, profilesOf, runShard } from './shard.js';
import type { ShardRun } from './shard.js';

/**
 * The tests of one shard; each has a file of its own, so that Jest's workers share them.
 *
 * @param folder where this file lies
 */
export function describeShard(shard: number, folder: string): void {
  const ranges = bundle('testing/src/simulation/runs/range.ts', resolve(folder, '../../../..')).then((code) => runOutside<{ readonly runRange: typeof runRange }>(code));

  describe.each(profilesOf(shard))(`the schedules of shard ${shard}, profile %s`, (profile) => {
    let run: ShardRun;
    beforeAll(async () => {
      run = runShard(shard, profile, (await ranges).runRange);
    }, 600_000);

    test('keep every promise and come to rest after healing', () => {
      expect(complaints(run)).toEqual([]);
    });

    test('meet everything that can go wrong', () => {
      expect(never(run)).toEqual([]);
    });
  });
}
