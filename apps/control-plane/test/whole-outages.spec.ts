import { eventually, type FakeAgent } from '@muster/testing';
import type { Offer } from '@muster/protocol';
import { sql } from '../src/database/sql.js';
import { EngineService } from '../src/engine/engine.service.js';
import { Fleet } from '../src/replicas/fleet.js';
import { WatchSchedule } from '../src/workers/watch.schedule.js';
import { startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

const EXPIRE_ALL = sql`update attempt set lease_until = now() - interval '1 second' where state <> 'ended'`;
const SILENCE_ALL = sql`update worker set last_beat_at = now() - interval '1 hour'`;
const LAST_ALIVE = sql`update replica set alive_at = now() - interval '10 minutes'`;
const ALERTS = sql`select data from event where type = 'alert.massSilence'`;
const PERMANENT = { disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false } } as const;

async function runningOn(harness: Harness, agent: FakeAgent): Promise<Offer> {
  await harness.submit(PERMANENT);
  const offer = await agent.nextOffer();
  await agent.start(offer);
  return offer;
}

describe('many workers falling silent at once', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('lose nothing and raise one alert; a few falling silent lose their attempts', async () => {
    const agents: FakeAgent[] = [];
    const offers: Offer[] = [];
    for (let count = 0; count < 6; count += 1) {
      const agent = await harness.agent({ slots: 1 });
      offers.push(await runningOn(harness, agent));
      agents.push(agent);
    }
    for (const agent of agents) agent.leave();
    await harness.database.execute(SILENCE_ALL);
    await harness.database.execute(EXPIRE_ALL);
    const watch = harness.controlPlane.app.get(WatchSchedule);
    await eventually('the alert is raised', async () => (await harness.database.query(ALERTS)).length > 0);
    for (let count = 0; count < 3; count += 1) await watch.watch();
    expect(await harness.database.query(ALERTS)).toEqual([{ data: { workers: 6 } }]);
    for (const offer of offers) expect(await harness.attempts(offer.jobId)).toMatchObject([{ state: 'running' }]);

    // Three come back: those still away are no longer most of the fleet.
    const back = agents.slice(0, 3);
    for (const [index, agent] of back.entries()) {
      const { attemptId, epoch } = offers[index] as Offer;
      await agent.reconnect();
      await agent.hello([{ attemptId, epoch, state: 'running' }]);
    }
    for (const offer of offers.slice(3)) {
      await eventually('it is lost', async () => (await harness.attempts(offer.jobId))[0]?.outcome === 'lost');
    }
    for (const agent of agents) agent.leave();
  });
});

describe('a control plane that was wholly down', () => {
  it('gives every lease the downtime back before it sweeps', async () => {
    const harness = await startHarness();
    try {
      const agent = await harness.agent({ slots: 1 });
      const offer = await runningOn(harness, agent);
      await harness.controlPlane.stop();
      await harness.database.execute(EXPIRE_ALL);
      await harness.database.execute(LAST_ALIVE);
      const next = await harness.startReplica();
      await next.app.get(WatchSchedule).watch();
      const [attempt] = await harness.attempts(offer.jobId);
      expect(attempt).toMatchObject({ state: 'running' });
      expect((attempt?.lease_until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(9 * 60_000);
    } finally {
      await harness.stop();
    }
  });

  it('is noticed by the next start also when its two replicas stopped at the same moment', async () => {
    const harness = await startHarness();
    try {
      const second = await harness.startReplica();
      const fleets = [harness.controlPlane, second].map((replica) => replica.app.get(Fleet));
      await eventually('each has seen the other', () => fleets.every((fleet) => fleet.hasOtherReplicas));
      const agent = await harness.agent({ slots: 1 });
      const offer = await runningOn(harness, agent);
      await Promise.all([harness.controlPlane.stop(), second.stop()]);
      await harness.database.execute(EXPIRE_ALL);
      await harness.database.execute(LAST_ALIVE);
      await harness.startReplica();
      const [attempt] = await harness.attempts(offer.jobId);
      expect(attempt).toMatchObject({ state: 'running' });
      expect((attempt?.lease_until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(9 * 60_000);
    } finally {
      await harness.stop();
    }
  });

  it('extends nothing when a replica stays alive while another starts', async () => {
    const harness = await startHarness();
    try {
      const agent = await harness.agent({ slots: 1 });
      const offer = await runningOn(harness, agent);
      const before = (await harness.attempts(offer.jobId))[0]?.lease_until;
      await harness.startReplica();
      expect((await harness.attempts(offer.jobId))[0]?.lease_until).toEqual(before);
      agent.leave();
    } finally {
      await harness.stop();
    }
  });
});

describe('replicas that know of one another', () => {
  it('pass on what an agent connected elsewhere is to be told', async () => {
    const harness = await startHarness();
    try {
      const second = await harness.startReplica();
      const agent = await harness.agent({ slots: 1, url: second.url });
      await eventually('the first has seen the second', () => harness.controlPlane.app.get(Fleet).hasOtherReplicas);
      const jobId = await harness.submit();
      const offer = await agent.nextOffer();
      await agent.start(offer);
      await harness.controlPlane.app.get(EngineService).execute({ type: 'cancel', jobId, force: true, actor: 'ada' });
      await eventually('the agent is told', () => agent.commands.length > 0);
      expect(agent.commands).toMatchObject([{ attemptId: offer.attemptId, command: { kind: 'forceStop', reason: 'cancelled' } }]);
      agent.leave();
    } finally {
      await harness.stop();
    }
  });
});

describe('a stop', () => {
  it('tells agents to come back elsewhere and answers what it took before', async () => {
    const harness = await startHarness();
    try {
      const agent = await harness.agent({ slots: 1 });
      const offer = await runningOn(harness, agent);
      const ending = agent.end(offer).then(() => true, () => false);
      await harness.controlPlane.stop();
      await eventually('it is disconnected', () => !agent.isConnected);
      expect(agent.closings).toMatchObject([{ reason: 'shuttingDown' }]);
      // Acknowledged and stored, or neither.
      expect((await harness.job(offer.jobId)).status).toBe((await ending) ? 'completed' : 'running');
    } finally {
      await harness.stop();
    }
  });
});
