import { eventually, type FakeAgent } from '@muster/testing';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(240_000);

const HERD = 200;
const PERMANENT = { disconnect: { lostAfterSeconds: 1, onWorkerLost: 'requeue', exclusive: false } } as const;

/** "Nothing was acknowledged; send it again": an agent does, after a while. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code !== 'unavailable' && code !== 'busy') throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_000));
    }
  }
}

describe('a herd of agents that comes back at one moment', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ config: { workerTimeoutMs: 60_000 } });
  });
  afterAll(() => harness?.stop());

  it('is greeted, all of it, and costs nobody who is there a lease', async () => {
    const residents = await Promise.all(Array.from({ length: 10 }, (_, index) => harness.agent({ name: `resident-${index}`, slots: 1 })));
    const running = await Promise.all(
      residents.map(async (agent) => {
        const jobId = await harness.submit(PERMANENT);
        const offer = await agent.nextOffer(60_000);
        await agent.start(offer);
        return { agent, offer, jobId };
      }),
    );
    let longestMs = 0;
    const beat = async ({ agent, offer }: { agent: FakeAgent; offer: (typeof running)[number]['offer'] }): Promise<void> => {
      const beganMs = performance.now();
      const ack = await insist(() => agent.beat([{ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' }]));
      longestMs = Math.max(longestMs, performance.now() - beganMs);
      expect(ack.verdicts).toMatchObject([{ kind: 'keep' }]);
    };

    let isHerdIn = false;
    const beating = Promise.all(
      running.map(async (one) => {
        while (!isHerdIn) {
          await beat(one);
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      }),
    );
    const herd = await Promise.all(
      Array.from({ length: HERD }, (_, index) => insist(() => harness.agent({ name: `herd-${index}`, machineId: `herd-${index}`, slots: 0 }))),
    );
    isHerdIn = true;
    await beating;

    expect(herd.filter((agent) => agent.isConnected)).toHaveLength(HERD);
    expect(new Set(herd.map((agent) => agent.workerId)).size).toBe(HERD);
    // Far below the lease of 61 s, on a machine that does everything at once.
    expect(longestMs).toBeLessThan(30_000);
    for (const { agent, offer } of running) expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    for (const { offer } of running) {
      await eventually('it is completed', async () => (await harness.job(offer.jobId)).status === 'completed');
      expect(await harness.attempts(offer.jobId)).toHaveLength(1);
    }
    for (const agent of [...residents, ...herd]) agent.leave();
  });
});
