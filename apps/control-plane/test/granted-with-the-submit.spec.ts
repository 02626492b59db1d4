import type { JobView } from '@muster/protocol';
import { eventually } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(120_000);

const TRUE = { run: { command: ['/bin/true'] } };
const HOLD_WORKER = sql`select id from worker where id = $1 for update`;
/** The transaction that last wrote the row. */
const WRITERS = sql`
  select job.xmin::text as job, attempt.xmin::text as attempt, event.xmin::text as queued
  from job
  join attempt on attempt.job_id = job.id
  join event on event.job_id = job.id and event.type = 'job.queued'
  where job.id = $1
`;

let harness: Harness;
let ada: Rest;
beforeAll(async () => {
  harness = await startHarness();
  ada = await restAs(harness, 'submitter', 'ada');
});
afterAll(() => harness?.stop());

async function submit(order: object = TRUE): Promise<JobView> {
  const { status, body } = await ada.post<JobView>('/jobs', order);
  expect(status).toBe(201);
  return body;
}

async function isGrantedWithItsSubmit(jobId: string): Promise<boolean> {
  const [writers] = await harness.database.query<{ job: string; attempt: string; queued: string }>(WRITERS, [jobId]);
  return writers !== undefined && writers.job === writers.queued && writers.attempt === writers.queued;
}

describe('a job that comes while a worker is free and nobody stands in line', () => {
  it('is granted in the transaction that stores it, one after the other on one slot', async () => {
    const agent = await harness.agent({ slots: 1 });
    let inARow = 0;
    // Looks of the poll, and the first job after a hello, may come between.
    for (let tries = 0; tries < 60 && inARow < 3; tries += 1) {
      const [offer, { id }] = await Promise.all([agent.nextOffer(), submit()]);
      expect(offer.jobId).toBe(id);
      inARow = (await isGrantedWithItsSubmit(id)) ? inARow + 1 : 0;
      await agent.start(offer);
      await agent.end(offer);
    }
    expect(inARow).toBe(3);
    agent.leave();
  });

  it('is stored although somebody holds the worker, and granted when that lets go', async () => {
    const agent = await harness.agent({ slots: 1 });
    const [first] = await Promise.all([agent.nextOffer(), submit()]);
    await agent.start(first);
    await agent.end(first);
    const { id } = await harness.database.transaction(async (connection) => {
      await connection.query(HOLD_WORKER, [agent.workerId]);
      return submit();
    });
    expect((await agent.nextOffer()).jobId).toBe(id);
    agent.leave();
  });

  it('stands in line behind one that is as urgent and came before it', async () => {
    const agent = await harness.agent({ slots: 1 });
    const [held] = await Promise.all([agent.nextOffer(), submit()]);
    const earlier = await submit();
    const later = await submit();
    await agent.start(held);
    await agent.end(held);
    const offer = await agent.nextOffer();
    expect(offer.jobId).toBe(earlier.id);
    await agent.start(offer);
    await agent.end(offer);
    expect((await agent.nextOffer()).jobId).toBe(later.id);
    await eventually('it is shown as offered', async () => (await ada.get<JobView>(`/jobs/${later.id}`)).body.status === 'assigned');
    agent.leave();
  });
});
