import { Fleet } from '../src/replicas/fleet.js';
import { WorkerDesk } from '../src/worker-life/worker-desk.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { HttpWorker } from './http-worker.js';

const REQUESTS = 16;
const INTERVAL_MS = 300;
const WAIT_SECONDS = 3;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

describe('requests of one worker that wait for a job', () => {
  it('show together that it lives, and not each for itself', async () => {
    jest.spyOn(harness.controlPlane.app.get(Fleet), 'beatIntervalMs').mockReturnValue(INTERVAL_MS);
    const renew = jest.spyOn(harness.controlPlane.app.get(WorkerDesk), 'renew');
    const worker = await HttpWorker.register(harness, { slots: REQUESTS });
    const answers = await Promise.all(Array.from({ length: REQUESTS }, () => worker.ask(WAIT_SECONDS)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    // Each says it when it comes. Meanwhile it is said twice in an interval at most.
    const shown = renew.mock.calls.length - REQUESTS;
    expect(shown).toBeGreaterThan(1);
    expect(shown).toBeLessThanOrEqual((2 * WAIT_SECONDS * 1_000) / INTERVAL_MS + 2);
  });
});
