import type { JobId } from '@muster/protocol';
import { JOB, aJob, aRunningSlice, aWorker } from '../test/factories.js';
import { SliceInProgress } from './slice.js';

describe('a slice in progress', () => {
  const loaded = aRunningSlice();
  const slice = new SliceInProgress(loaded);
  const [before, changed] = [loaded.jobs.get(JOB), aJob({ status: 'completed' })];
  slice.apply({ jobs: [changed, aJob({ id: 'job_2' as JobId })], attempts: [], workers: [aWorker({ session: 9 })] });

  test('shows the next command what was decided', () => {
    expect(slice.jobs.get(JOB)).toBe(changed);
    expect(slice.jobs.size).toBe(2);
    expect([...slice.workers.values()]).toMatchObject([{ session: 9 }]);
  });

  test('leaves what was loaded as it was, so that changes can be told', () => {
    expect(loaded.jobs.get(JOB)).toBe(before);
    expect(loaded.jobs.size).toBe(1);
    expect([...slice.attempts.values()]).toEqual([...loaded.attempts.values()]);
  });
});
