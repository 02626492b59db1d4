import type { MetricPointView, Page } from '@muster/protocol';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs } from './rest.js';

jest.setTimeout(120_000);

describe('the metrics of a job', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('are read page by page in the order they were printed, each point once', async () => {
    const agent = await harness.agent();
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    const at = new Date(0).toISOString();
    const points = Array.from({ length: 7 }, (_, step) => ({ step, at, values: { loss: 1 / (step + 1) } }));
    const first = { attemptId: offer.attemptId, epoch: offer.epoch, offset: 0, rawLength: 50, points: points.slice(0, 4) };
    await agent.ask('metrics:append', first);
    await agent.ask('metrics:append', first);
    await agent.ask('metrics:append', { ...first, offset: 50, points: points.slice(4) });

    const viewer = await restAs(harness, 'viewer');
    const read: MetricPointView[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: { body: Page<MetricPointView> } = await viewer.get(`/jobs/${jobId}/metrics?limit=3${cursor && `&cursor=${cursor}`}`);
      read.push(...body.data);
      cursor = body.nextCursor;
    }
    expect(read).toEqual(points.map((point) => ({ attemptId: offer.attemptId, ...point })));
    agent.leave();
  });

  it('of a job that printed none are an empty page, and of an unknown job a 404', async () => {
    const viewer = await restAs(harness, 'viewer');
    const jobId = await harness.submit();
    expect((await viewer.get(`/jobs/${jobId}/metrics`)).body).toEqual({ data: [], nextCursor: null });
    expect((await viewer.get('/jobs/job_00000000000000000000000000/metrics')).status).toBe(404);
  });
});
