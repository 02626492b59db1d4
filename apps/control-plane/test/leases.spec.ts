import { eventually, type FakeAgent } from '@muster/testing';
import type { Offer } from '@muster/protocol';
import { sql } from '../src/database/sql.js';
import { PATIENT, startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

const SILENCE = sql`update worker set last_beat_at = last_beat_at - interval '1 hour' where id = $1`;
const TERM = sql`select round(extract(epoch from lease_until - offered_at))::int as seconds from attempt where id = $1`;
const NEARLY_OVER = sql`update attempt set lease_until = now() + interval '1 minute' where id = $1`;
const EXPIRE = sql`update attempt set lease_until = now() - interval '1 second' where id = $1 and state <> 'ended'`;
const SYSTEM_LINES = sql`select convert_from(bytes, 'UTF8') as line from log_chunk where log_id = $1 and stream = 'system' order by start_offset`;
const LINK = sql`select link from worker where id = $1`;

describe('a lease', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  async function started(agent: FakeAgent, job: Parameters<Harness['submit']>[0] = {}): Promise<Offer> {
    await harness.submit(job);
    const offer = await agent.nextOffer();
    expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
    return offer;
  }

  it('of an offer nobody answers ends after its term, and the job is offered again', async () => {
    const agent = await harness.agent();
    const jobId = await harness.submit();
    const first = await agent.nextOffer();
    expect(await harness.database.query(TERM, [first.attemptId])).toEqual([{ seconds: PATIENT.offerTtlMs / 1_000 }]);
    await harness.database.execute(EXPIRE, [first.attemptId]);
    const second = await agent.nextOffer();
    expect(second).toMatchObject({ jobId, number: 2 });
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(await agent.start(first)).toMatchObject({ kind: 'no' });
    await agent.start(second);
    await agent.end(second);
    expect(await harness.job(jobId)).toMatchObject({ status: 'completed' });
    agent.leave();
  });

  it('is renewed by beats that name the attempt', async () => {
    const agent = await harness.agent();
    const offer = await started(agent);
    await harness.database.execute(NEARLY_OVER, [offer.attemptId]);
    const before = (await harness.attempts(offer.jobId))[0]?.lease_until?.getTime() ?? Infinity;
    const ack = await agent.beat([{ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' }]);
    expect(ack.verdicts).toMatchObject([{ kind: 'keep' }]);
    expect((await harness.attempts(offer.jobId))[0]?.lease_until?.getTime()).toBeGreaterThan(before);
    await agent.end(offer);
    agent.leave();
  });

  it('of a silent worker ends, its job runs on another, and what the first one says later is superseded', async () => {
    const silent = await harness.agent({ name: 'silent', slots: 1 });
    const offer = await started(silent, { disconnect: { lostAfterSeconds: 1, onWorkerLost: 'requeue', exclusive: false } });
    silent.leave();
    await harness.database.execute(SILENCE, [silent.workerId]);
    await harness.database.execute(EXPIRE, [offer.attemptId]);
    const other = await harness.agent({ name: 'other', slots: 1 });
    const again = await other.nextOffer(60_000);
    expect(again).toMatchObject({ jobId: offer.jobId, number: 2 });
    expect(await other.start(again)).toMatchObject({ kind: 'go' });
    expect((await harness.attempts(offer.jobId))[0]).toMatchObject({ state: 'ended', outcome: 'lost' });
    const said = (await harness.database.query<{ line: string }>(SYSTEM_LINES, [offer.attemptId])).map(({ line }) => line);
    expect(said.join('')).toContain('Worker silent was silent until');

    await silent.reconnect();
    const ack = await silent.hello([{ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' }]);
    expect(ack.verdicts).toMatchObject([{ kind: 'stop', reason: 'superseded' }]);
    expect(await silent.end(offer, { outcome: 'failed', exit: { code: 7, signal: null } })).toEqual({ kind: 'superseded' });
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'running', current_attempt_id: again.attemptId });
    // Its log is still taken.
    expect(await silent.log(offer, 0, 'what I saw\n')).toEqual({ storedLength: 11 });

    expect(await other.end(again)).toEqual({ kind: 'accepted' });
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'completed' });
    other.leave();
    silent.leave();
  });

  it('that ended while nobody else took the job is granted again to the same process', async () => {
    const agent = await harness.agent({ slots: 1 });
    const offer = await started(agent);
    agent.leave();
    await harness.database.execute(EXPIRE, [offer.attemptId]);
    await eventually('it is given up', async () => (await harness.attempts(offer.jobId))[0]?.outcome === 'lost');
    await agent.reconnect();
    const running = { attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' as const };
    let [verdict] = (await agent.hello([running])).verdicts;
    await eventually('the process is granted again', async () => {
      if (verdict?.kind !== 'reclaimed') [verdict] = (await agent.beat([running])).verdicts;
      return verdict?.kind === 'reclaimed';
    });
    if (verdict?.kind !== 'reclaimed') throw new Error('not reclaimed');
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'running', current_attempt_id: verdict.attempt.attemptId });
    expect(await agent.end(verdict.attempt)).toEqual({ kind: 'accepted' });
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'completed', attempt_count: 2 });
    agent.leave();
  });

  it('fails the job instead of trying again where its policy says so', async () => {
    const agent = await harness.agent({ slots: 1 });
    const offer = await started(agent, { disconnect: { lostAfterSeconds: 60, onWorkerLost: 'fail', exclusive: false } });
    agent.leave();
    await harness.database.execute(EXPIRE, [offer.attemptId]);
    await eventually('it has failed', async () => (await harness.job(offer.jobId)).status === 'failed');
    expect(await harness.job(offer.jobId)).toMatchObject({ reason: 'workerLost' });
  });

  it('outlives the worker\'s silence: the link gets worse in steps and is mended by a beat', async () => {
    const agent = await harness.agent();
    const linkOf = async () => (await harness.database.query<{ link: string }>(LINK, [agent.workerId]))[0]?.link;
    const offer = await started(agent);
    agent.leave();
    await eventually('it is suspect', async () => (await linkOf()) === 'suspect');
    await harness.database.execute(SILENCE, [agent.workerId]);
    await eventually('it is unreachable', async () => (await linkOf()) === 'unreachable');
    expect(await harness.job(offer.jobId)).toMatchObject({ status: 'running', reason: 'workerUnreachable' });
    await agent.reconnect();
    await agent.hello([{ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' }]);
    expect(await linkOf()).toBe('connected');
    await agent.end(offer);
    agent.leave();
  });
});

describe('the queue limit', () => {
  it('fails a job that no worker took in time', async () => {
    const harness = await startHarness();
    try {
      const jobId = await harness.submit({ limits: { queueSeconds: 1 } });
      await eventually('it has failed', async () => (await harness.job(jobId)).status === 'failed');
      expect(await harness.job(jobId)).toMatchObject({ reason: 'queueTimeout' });
    } finally {
      await harness.stop();
    }
  });
});
