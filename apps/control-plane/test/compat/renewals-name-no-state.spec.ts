import { EngineService } from '../../src/engine/engine.service.js';
import { startHarness, type Harness } from '../control-plane-harness.js';
import { Rest, restAs } from '../rest.js';

const BASE = '/compat/finetunelab/api';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => jest.restoreAllMocks());

/** A worker of FineTune Lab as its program speaks, with a job that it has paused. */
async function aPausedTraining() {
  const { secret } = await harness.createKey('worker', 'lab');
  const worker = new Rest(harness.controlPlane.url, secret);
  const registration = { api_key: secret, hostname: 'anvil', platform: 'linux', version: '1' };
  const { body: { worker_id: workerId } } = await worker.send<{ worker_id: string }>('POST', `${BASE}/workers/register`, { body: registration });
  const jobId = await harness.submit({ run: { external: { kind: 'finetunelab', payload: {} } } });
  const { body: { jobToken } } = await worker.post<{ jobToken: string }>(`/workers/${workerId}/claim`, { waitSeconds: 20 });
  const job = new Rest(harness.controlPlane.url, jobToken);
  const report = async (status: string): Promise<void> => {
    expect((await job.send('PATCH', `${BASE}/training/local/${jobId}/status`, { body: { status } })).status).toBe(200);
  };
  await report('running');
  await report('paused');
  return {
    jobId, workerId, report,
    beat: () => worker.send('POST', `${BASE}/workers/${workerId}/heartbeat`, { body: { status: 'online' }, headers: { 'x-api-key': secret } }),
    log: () => job.send('POST', `${BASE}/training/local/${jobId}/logs`, { body: { logs: ['step 1'] } }),
  };
}

/** Lets this happen after the next beat has read how things stand, and before it is decided. */
function beforeTheNextBeat(happening: () => Promise<void>): void {
  const engine = harness.controlPlane.app.get(EngineService);
  const execute = engine.execute.bind(engine);
  jest.spyOn(engine, 'execute').mockImplementationOnce(async (command, mayStillCount) => {
    await happening();
    return execute(command, mayStillCount);
  });
}

describe('a training job that goes on', () => {
  it.each(['beat', 'log'] as const)('is not paused again by a %s that comes at the same moment', async (sign) => {
    const training = await aPausedTraining();
    beforeTheNextBeat(() => training.report('running'));
    expect((await training[sign]()).status).toBe(200);
    expect((await harness.job(training.jobId)).status).toBe('running');
    await training.report('completed');
  });

  it('and that its worker cancels goes back in line when a drain told it to stop, and is cancelled otherwise', async () => {
    const [left, cancelled] = [await aPausedTraining(), await aPausedTraining()];
    await (await restAs(harness, 'admin')).post(`/workers/${left.workerId}/drain`, { policy: 'requeue', deadlineSeconds: 0 });
    for (const training of [left, cancelled]) {
      await training.report('cancelled');
      // Its program may say again what it said.
      await training.report('cancelled');
    }
    expect(await harness.job(left.jobId)).toMatchObject({ status: 'queued', reason: 'workerStopped' });
    expect((await harness.job(cancelled.jobId)).status).toBe('cancelled');
  });
});
