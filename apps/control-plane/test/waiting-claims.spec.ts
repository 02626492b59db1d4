import { eventually } from '@muster/testing';
import type { Clock } from '@muster/runtime';
import { CLOCK } from '../src/core.module.js';
import { WaitingClaims } from '../src/http-workers/waiting-claims.js';
import { Fleet } from '../src/replicas/fleet.js';
import { WorkerDesk } from '../src/worker-life/worker-desk.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { HttpWorker } from './http-worker.js';

const REQUESTS = 16;
const INTERVAL_MS = 300;
const WAIT_SECONDS = 3;
/** As long as may be asked for. */
const LONG_SECONDS = 30;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
beforeEach(() => {
  jest.spyOn(harness.controlPlane.app.get(Fleet), 'beatIntervalMs').mockReturnValue(INTERVAL_MS);
});
afterEach(() => jest.restoreAllMocks());

describe('requests of one worker that wait for a job', () => {
  it('show together that it lives, and not each for itself', async () => {
    const renew = jest.spyOn(harness.controlPlane.app.get(WorkerDesk), 'renew');
    const worker = await HttpWorker.register(harness, { slots: REQUESTS });
    const askedAtMs = performance.now();
    const answers = await Promise.all(Array.from({ length: REQUESTS }, () => worker.ask(WAIT_SECONDS)));
    const intervals = (performance.now() - askedAtMs) / INTERVAL_MS;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    // Each says it when it comes. Meanwhile it is said twice in an interval at most.
    const shown = renew.mock.calls.length - REQUESTS;
    expect(shown).toBeGreaterThan(1);
    expect(shown).toBeLessThanOrEqual(2 * intervals + 2);
  });

  it('end with their own time, also when a newer program of the worker comes meanwhile and they ask on for it', async () => {
    const clock = harness.controlPlane.app.get<Clock>(CLOCK);
    const waiting = harness.controlPlane.app.get(WaitingClaims);
    const worker = await HttpWorker.register(harness, { name: 'renewed' });
    const before = clock.monotonicMs.bind(clock);
    const asking = worker.rest.post(`/workers/${worker.id}/claim`, { waitSeconds: LONG_SECONDS });
    await eventually('the request waits', () => waiting.size === 1);
    jest.spyOn(clock, 'monotonicMs').mockImplementation(() => before() + (LONG_SECONDS + 1) * 1_000);
    // As the desk hears it of a worker that registered anew: the wait of the program before is over.
    waiting.endOlder(worker.registered.workerId, worker.session, 'superseded');
    await eventually('its wait is over', () => waiting.size === 0, { timeoutMs: (LONG_SECONDS * 1_000) / 2 });
    expect(await asking).toMatchObject({ status: 204 });
    expect(waiting.size).toBe(0);
  });
});
