import type { ExecutionReport, KeyId, Offer } from '@muster/protocol';
import { eventually, FakeAgent, anEnd } from '@muster/testing';
import type { ControlPlane } from '../src/control-plane.js';
import { sql } from '../src/database/sql.js';
import { revokeKey } from '../src/keys/keys.service.js';
import { WatchSchedule } from '../src/workers/watch.schedule.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { countLooksAtKeys } from './looks-at-keys.js';
import { Rest } from './rest.js';

jest.setTimeout(120_000);

const EXPIRE = sql`update attempt set lease_until = now() - interval '1 second' where job_id = $1 and state <> 'ended'`;
const WORKER = sql`select is_fenced, session from worker where id = $1`;
const FENCINGS = sql`select actor, data from event where type = 'worker.fenced' and worker_id = $1`;

const running = ({ attemptId, epoch }: Offer): ExecutionReport => ({ attemptId, epoch, state: 'running' });

afterEach(() => jest.restoreAllMocks());

describe('with two replicas, a revoked key', () => {
  let harness: Harness;
  let admin: Rest;
  let other: ControlPlane;
  beforeAll(async () => {
    harness = await startHarness();
    other = await harness.startReplica();
    admin = new Rest(harness.controlPlane.url, (await harness.createKey('admin', 'root')).secret);
  });
  afterAll(() => harness?.stop());

  it('loses its agents on both by the next look at keys, one a second, wherever it was revoked', async () => {
    for (const at of [harness.controlPlane, other]) {
      const { id, secret } = await harness.createKey('worker', 'lab');
      const agents = await Promise.all([harness.controlPlane, other].map(({ url }) => harness.agent({ key: secret, url })));
      await new Rest(at.url, admin.key).send('DELETE', `/api/v1/keys/${id}`);
      const looks = [harness.controlPlane, other].map((replica) => countLooksAtKeys(replica, id));
      await eventually('both sockets are closed', () => agents.every((agent) => !agent.isConnected));
      for (const count of looks) expect(count()).toBeLessThanOrEqual(1);
      jest.restoreAllMocks();
      for (const { closings } of agents) expect(closings).toMatchObject([{ reason: 'keyRevoked' }]);
      for (const { url } of agents.map(({ options }) => options)) {
        await expect(FakeAgent.join({ url, key: secret })).rejects.toMatchObject({ code: 'unauthenticated' });
      }
    }
  });

  it('loses those who follow a log with it, on both', async () => {
    const jobId = await harness.submit({ needs: { labels: { nobody: 'has this' } } });
    const { id, secret } = await harness.createKey('viewer', 'eve');
    const ends = await Promise.all([harness.controlPlane, other].map(async ({ url }) => {
      const answer = await fetch(`${url}/api/v1/jobs/${jobId}/logs?follow=true`, { headers: { authorization: `Bearer ${secret}` } });
      expect(answer.status).toBe(200);
      return { ended: answer.text() };
    }));
    await admin.send('DELETE', `/api/v1/keys/${id}`);
    await Promise.all(ends.map(({ ended }) => ended));
  });

  it('keeps its worker\'s job out of anybody\'s hands until the lease is over, and then it runs elsewhere', async () => {
    const { id, secret } = await harness.createKey('worker', 'lab');
    const revoked = await harness.agent({ key: secret, url: other.url });
    const jobId = await harness.submit({ retry: { backoffSeconds: 0 } });
    const first = await revoked.nextOffer();
    await revoked.start(first);
    await admin.send('DELETE', `/api/v1/keys/${id}`);
    const [attempt] = await harness.attempts(jobId);
    expect(attempt).toMatchObject({ state: 'running', lease_until: expect.any(Date) });
    expect(await harness.database.query(FENCINGS, [revoked.workerId])).toEqual([{ actor: 'root', data: { keyId: id } }]);
    const good = await harness.agent();
    expect(good.offers).toEqual([]);
    await harness.database.execute(EXPIRE, [jobId]);
    const second = await good.nextOffer();
    expect(second).toMatchObject({ jobId, number: 2 });
    await good.start(second);
    await good.end(second);
    expect(await harness.job(jobId)).toMatchObject({ status: 'completed' });
    good.leave();
  });
});

describe('a revocation that nobody was told of yet', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
    // Nothing but the rows themselves stands between the agent and its lease from here on.
    await harness.controlPlane.app.get(WatchSchedule).stop();
  });
  afterAll(() => harness?.stop());

  const revokeSilently = (id: string): Promise<unknown> =>
    harness.database.transaction((connection) => revokeKey(connection, id as KeyId, 'root'));

  /** An agent with a key of its own and one attempt, started unless told. */
  async function holder({ isStarted = true } = {}): Promise<{ agent: FakeAgent; keyId: string; offer: Offer }> {
    const { id: keyId, secret } = await harness.createKey('worker', 'lab');
    const agent = await harness.agent({ key: secret, slots: 1 });
    await harness.submit();
    const offer = await agent.nextOffer();
    if (isStarted) await agent.start(offer);
    return { agent, keyId, offer };
  }

  const SAID: readonly [string, boolean, (agent: FakeAgent, offer: Offer) => [event: string, body: unknown]][] = [
    ['a beat', true, (agent, offer) => ['worker:beat', { session: agent.session, executions: [running(offer)], sample: null, paused: false, slotsFree: 0 }]],
    ['an end', true, (_agent, offer) => ['attempt:end', anEnd(offer)]],
    ['a start', false, (_agent, { attemptId, epoch }) => ['attempt:start', { attemptId, epoch }]],
    ['a refusal', false, (_agent, { attemptId, epoch }) => ['attempt:refuse', { attemptId, epoch, reason: 'noSlot' }]],
    ['a hello on the same socket', true, (agent, offer) => ['worker:hello', agent.helloMessage([running(offer)])]],
  ];

  it.each(SAID)('fences at once: %s changes nothing, and the agent is told why', async (_what, isStarted, message) => {
    const { agent, keyId, offer } = await holder({ isStarted });
    const before = await harness.attempts(offer.jobId);
    await revokeSilently(keyId);
    expect(await agent.call(...message(agent, offer))).toEqual({ error: { code: 'superseded', detail: 'The key was revoked.' } });
    await eventually('the socket is closed', () => !agent.isConnected);
    expect(agent.closings).toMatchObject([{ reason: 'keyRevoked' }]);
    expect(await harness.attempts(offer.jobId)).toEqual(before);
  });

  it('lets no agent in again whose key is still believed', async () => {
    const { agent, keyId, offer } = await holder();
    // Verified a moment ago, and once more for a connection that has not said hello.
    const early = new FakeAgent({ url: harness.controlPlane.url, key: agent.options.key });
    await early.connect();
    await revokeSilently(keyId);
    expect(await early.call('worker:hello', early.helloMessage())).toMatchObject({ error: { code: 'superseded' } });
    expect(early.closings).toMatchObject([{ reason: 'keyRevoked' }]);
    expect(await harness.database.query(sql`select id from worker where machine_id = $1`, [early.machineId])).toEqual([]);
    expect((await harness.attempts(offer.jobId))[0]).toMatchObject({ state: 'running' });
    agent.leave();
  });

  it('lets nobody in by the key once a look has closed its sockets, however lately it was verified', async () => {
    const { id, secret } = await harness.createKey('worker', 'lab');
    const agent = await harness.agent({ key: secret });
    await revokeSilently(id);
    await harness.controlPlane.app.get(WatchSchedule).watch();
    await eventually('the socket is closed', () => !agent.isConnected);
    await expect(FakeAgent.join(agent.options)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('leaves it no new work', async () => {
    const { id, secret } = await harness.createKey('worker', 'lab');
    const fenced = await harness.agent({ key: secret, slots: 2 });
    await revokeSilently(id);
    const good = await harness.agent({ slots: 1 });
    const jobIds = await harness.submitMany(3);
    const offer = await good.nextOffer();
    await good.start(offer);
    await good.end(offer);
    // A further turn of the dispatcher, which had room at the fenced one all the time.
    await good.nextOffer();
    expect(fenced.offers).toEqual([]);
    const [waiting] = (await Promise.all(jobIds.map((jobId) => harness.job(jobId)))).filter(({ status }) => status === 'queued');
    expect(waiting).toBeDefined();
    fenced.leave();
    good.leave();
  });

  it('is over for the worker when its owner gives it another key: the process goes on and its end counts', async () => {
    const { agent, keyId, offer } = await holder();
    await revokeSilently(keyId);
    agent.leave();
    const { secret } = await harness.createKey('worker', 'lab');
    const again = new FakeAgent({ ...agent.options, key: secret, machineId: agent.machineId });
    again.workerId = agent.workerId;
    await again.connect();
    const ack = await again.hello([running(offer)]);
    expect(ack).toMatchObject({ workerId: agent.workerId, verdicts: [{ kind: 'keep' }] });
    expect(await harness.database.query(WORKER, [agent.workerId])).toEqual([{ is_fenced: false, session: ack.session }]);
    expect(await again.end(offer)).toMatchObject({ kind: 'accepted' });
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'completed' });
    again.leave();
  });
});
