import { requirementsOf, toJobSpec } from '@muster/domain';
import type { JobView } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { Dispatcher } from '../src/dispatch/dispatcher.js';
import { FleetReader } from '../src/jobs/fleet-reader.js';
import { AgentSessions } from '../src/sockets/agent-sessions.js';
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

/** A look while every slot was taken has not seen who stands in line: until there was another, no job is granted with its submit. */
async function whenOnlyRoomIsExpected(): Promise<void> {
  const dispatcher = harness.controlPlane.app.get(Dispatcher);
  const spec = toJobSpec(TRUE, 60_000);
  if (!spec.ok) throw new Error(JSON.stringify(spec.errors));
  const coming = { owner: 'ada', laneId: 1, requirements: requirementsOf(spec.spec) };
  await eventually('room is known, and nobody in line', async () => {
    await dispatcher.tick();
    return dispatcher.atOnce([coming]) !== undefined;
  });
}

/** Resolves when it is known there that the agent has left: nothing of the next test is offered to it. */
async function leave(agent: FakeAgent): Promise<void> {
  const sessions = harness.controlPlane.app.get(AgentSessions);
  agent.leave();
  await eventually('its session is over', () => agent.workerId !== undefined && sessions.get(agent.workerId) === undefined);
}

async function isGrantedWithItsSubmit(jobId: string): Promise<boolean> {
  const [writers] = await harness.database.query<{ job: string; attempt: string; queued: string }>(WRITERS, [jobId]);
  return writers !== undefined && writers.job === writers.queued && writers.attempt === writers.queued;
}

describe('a job that comes while a worker is free and nobody stands in line', () => {
  it('is granted in the transaction that stores it, one after the other on one slot', async () => {
    const agent = await harness.agent({ slots: 1 });
    /** True when it was granted with its submit; later words write the rows anew. */
    const runOne = async (): Promise<boolean> => {
      const [offer, { id }] = await Promise.all([agent.nextOffer(), submit()]);
      expect(offer.jobId).toBe(id);
      const isGranted = await isGrantedWithItsSubmit(id);
      await agent.start(offer);
      await agent.end(offer);
      return isGranted;
    };
    // What a worker takes is learnt with its first job.
    await runOne();
    let inARow = 0;
    // Where somebody holds the worker's row for long, as on a busy machine, a job is stored without it.
    for (let tries = 0; tries < 60 && inARow < 3; tries += 1) {
      await whenOnlyRoomIsExpected();
      inARow = (await runOne()) ? inARow + 1 : 0;
    }
    expect(inARow).toBe(3);
    await leave(agent);
  });

  it('is answered without a look at the workers', async () => {
    const agent = await harness.agent({ slots: 1 });
    const [first] = await Promise.all([agent.nextOffer(), submit()]);
    await agent.start(first);
    await agent.end(first);
    const fleet = harness.controlPlane.app.get(FleetReader);
    let answer: JobView | undefined;
    for (let tries = 0; tries < 20 && answer === undefined; tries += 1) {
      await whenOnlyRoomIsExpected();
      const look = jest.spyOn(fleet, 'explainNew');
      const [offer, job] = await Promise.all([agent.nextOffer(), submit()]);
      if (await isGrantedWithItsSubmit(job.id)) {
        answer = job;
        expect(look).not.toHaveBeenCalled();
      }
      look.mockRestore();
      await agent.start(offer);
      await agent.end(offer);
    }
    expect(answer).toMatchObject({ status: 'queued', reason: 'waiting', reasonDetail: 'A worker is free and will be offered the job.' });
    await leave(agent);
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
    await leave(agent);
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
    await leave(agent);
  });
});
