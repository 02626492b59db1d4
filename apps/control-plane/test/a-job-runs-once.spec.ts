import { eventually } from '@muster/testing';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(120_000);

describe('a job', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('is offered, started and completed, and its result is kept', async () => {
    const agent = await harness.agent();
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    expect(offer).toMatchObject({ jobId, number: 1, epoch: 1, spec: { run: { command: ['/bin/true'] } } });
    expect(await harness.job(jobId)).toMatchObject({ status: 'assigned', current_attempt_id: offer.attemptId });

    expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
    expect(await harness.job(jobId)).toMatchObject({ status: 'running' });

    expect(await agent.end(offer, { result: { accuracy: 0.97, text: 'a\u0000b' } })).toEqual({ kind: 'accepted' });
    expect(await harness.job(jobId)).toMatchObject({
      status: 'completed', current_attempt_id: null, result: { accuracy: 0.97, text: 'a\u0000b' },
    });
    agent.leave();
  });

  it('that ended is not ended again: the same end is told so and changes nothing', async () => {
    const agent = await harness.agent();
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    await agent.end(offer);
    expect(await agent.end(offer)).toEqual({ kind: 'repeated' });
    expect(await agent.end(offer, { outcome: 'failed', exit: { code: 1, signal: null } })).toMatchObject({ kind: expect.any(String) });
    expect(await harness.job(jobId)).toMatchObject({ status: 'completed', epoch: 1 });
    expect(await harness.attempts(jobId)).toHaveLength(1);
    agent.leave();
  });

  it('is in the agent\'s hands soon after it was submitted, without waiting for a poll', async () => {
    const agent = await harness.agent({ slots: 1 });
    const jobIds: string[] = [];
    const tookMs: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const submittedMs = performance.now();
      jobIds.push(await harness.submit());
      const offer = await agent.nextOffer();
      await agent.start(offer);
      await agent.end(offer);
      tookMs.push(performance.now() - submittedMs);
    }
    // Offered by polls, each job after the first would take the 1.5 s between two of them, also the quickest.
    expect(Math.min(...tookMs.slice(1))).toBeLessThan(1_000);
    agent.leave();
  });

  it('goes back to the queue when the worker refuses it, and is offered again', async () => {
    const agent = await harness.agent();
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    await agent.ask('attempt:refuse', { attemptId: offer.attemptId, epoch: offer.epoch, reason: 'diskFloor' });
    expect(await harness.job(jobId)).toMatchObject({ status: 'queued' });
    // What the refusal said of the worker holds until its next beat.
    await agent.beat();
    const again = await agent.nextOffer();
    expect(again).toMatchObject({ jobId, number: 2 });
    await agent.start(again);
    await agent.end(again);
    await eventually('it is completed', async () => (await harness.job(jobId)).status === 'completed');
    agent.leave();
  });
});
