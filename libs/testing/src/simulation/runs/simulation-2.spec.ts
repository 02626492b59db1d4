import { PROFILES } from '../settings/settings.js';
import { complaints, never, runShard } from './shard.js';

describe.each(PROFILES)('the schedules of shard 2, profile %s', (profile) => {
  let run: ReturnType<typeof runShard>;
  beforeAll(() => {
    run = runShard(2, profile);
  }, 600_000);

  test('keep every promise and come to rest after healing', () => {
    expect(complaints(run)).toEqual([]);
  });

  test('meet everything that can go wrong', () => {
    expect(never(run)).toEqual([]);
  });
});
