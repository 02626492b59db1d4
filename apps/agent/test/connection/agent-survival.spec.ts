import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { eventually } from '@muster/testing';
import type { AttemptId } from '@muster/protocol';
import { anOffer, Bench } from './agent-process.js';

const PATIENCE_MS = 120_000;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const numbers = (count: number): Buffer => Buffer.from(Array.from({ length: count }, (_, i) => `${i + 1}\n`).join(''));

describe('jobs and the end of their agent', () => {
  const benches: Bench[] = [];
  const open = async (...options: Parameters<typeof Bench.open>): Promise<Bench> => {
    const bench = await Bench.open(...options);
    benches.push(bench);
    return bench;
  };
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.cleanUp();
  }, PATIENCE_MS);

  /** Its script has begun, and its agent says so: what is killed now leaves a job that runs. */
  const isRunning = async (bench: Bench, attemptId: AttemptId): Promise<void> => {
    await bench.hasBegun();
    await eventually('the job runs', () =>
      bench.fake.beats
        .at(-1)
        ?.executions.some((report) => report.attemptId === attemptId && report.state === 'running'),
    );
  };

  it(
    'a job lives through the death of its agent, and the next start reports its exit and whole log',
    async () => {
      const bench = await open();
      const first = await bench.startConnected();
      const offer = anOffer(`${bench.begins}; seq 1 5000; ${bench.held}; seq 5001 10000; exit 7`);
      bench.fake.offer(offer);
      await isRunning(bench, offer.attemptId);
      await first.kill();
      await bench.startConnected();
      expect(bench.fake.hellos.at(-1)?.executions).toEqual([
        { attemptId: offer.attemptId, epoch: 1, state: 'running' },
      ]);
      await bench.letGo();
      const end = await eventually('the end', () => bench.fake.ends.get(offer.attemptId));
      expect(end).toMatchObject({ outcome: 'failed', exit: { code: 7, signal: null } });
      await eventually(
        'the whole log',
        () => bench.fake.logs.storedLength(offer.attemptId) === end.logs.output?.length,
      );
      const wanted = numbers(10_000);
      expect(end.logs.output).toEqual({ length: wanted.length, sha256: sha256(wanted) });
      expect(bench.fake.logs.bytes(offer.attemptId).equals(wanted)).toBe(true);
    },
    PATIENCE_MS,
  );

  it(
    'a job that ended while no agent was there is reported by the next start',
    async () => {
      const bench = await open();
      const first = await bench.startConnected();
      const offer = anOffer(`${bench.begins}; ${bench.held}; echo done; touch '${bench.stateDir}/over'; exit 4`);
      bench.fake.offer(offer);
      await isRunning(bench, offer.attemptId);
      await first.kill();
      await bench.letGo();
      await eventually('the job is over', () => existsSync(`${bench.stateDir}/over`));
      await bench.startConnected();
      const end = await eventually('the end', () => bench.fake.ends.get(offer.attemptId));
      expect(end).toMatchObject({
        outcome: 'failed',
        exit: { code: 4, signal: null },
        logs: { output: { length: 5 } },
      });
      await eventually('the log', () => bench.fake.logs.bytes(offer.attemptId).toString() === 'done\n');
    },
    PATIENCE_MS,
  );

  it(
    'an attempt whose start was granted and that never ran is given back, and not started by the next agent',
    async () => {
      const bench = await open();
      const first = await bench.startConnected({ MUSTER_CRASH_AT: 'beforeSpawn' });
      const offer = anOffer('echo ran');
      bench.fake.offer(offer);
      expect(await first.ended).toEqual({ code: null, signal: 'SIGKILL' });
      expect(bench.fake.starts).toHaveLength(1);
      await bench.startConnected();
      const end = await eventually('the end', () => bench.fake.ends.get(offer.attemptId));
      expect(end).toMatchObject({ outcome: 'refused', exit: null, ranMs: null, logs: {} });
      expect(bench.fake.hellos.at(-1)?.executions).toMatchObject([{ attemptId: offer.attemptId, state: 'exited' }]);
      await eventually('the agent is idle', () => bench.fake.beats.at(-1)?.executions.length === 0);
      expect(bench.fake.logs.storedLength(offer.attemptId)).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'SIGTERM ends the agent within 10 s, leaves its jobs running, and the next start adopts them',
    async () => {
      const bench = await open();
      const first = await bench.startConnected();
      const offer = anOffer(`echo before; ${bench.begins}; ${bench.held}; echo after`);
      bench.fake.offer(offer);
      await isRunning(bench, offer.attemptId);
      await eventually('it prints', () => bench.fake.logs.storedLength(offer.attemptId) > 0);
      first.signal('SIGTERM');
      await eventually('it has ended', () => !first.isAlive, { timeoutMs: 10_000 });
      expect(await first.ended).toEqual({ code: 0, signal: null });
      expect(bench.fake.logs.bytes(offer.attemptId).toString()).toBe('before\n');
      await bench.startConnected();
      expect(bench.fake.hellos.at(-1)?.executions).toMatchObject([{ attemptId: offer.attemptId, state: 'running' }]);
      await bench.letGo();
      const end = await eventually('the end', () => bench.fake.ends.get(offer.attemptId));
      expect(end.outcome).toBe('succeeded');
      expect(bench.fake.starts).toHaveLength(1);
    },
    PATIENCE_MS,
  );

  it(
    'MUSTER_AGENT_ON_TERM=stop makes SIGTERM a planned stop of every job',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected({ MUSTER_AGENT_ON_TERM: 'stop' });
      const offer = anOffer('trap "echo asked; exit 0" TERM; echo up; while :; do sleep 0.1; done');
      bench.fake.offer(offer);
      await eventually('the job is up', () => bench.fake.logs.bytes(offer.attemptId).toString() === 'up\n');
      agent.signal('SIGTERM');
      expect(await agent.ended).toEqual({ code: 0, signal: null });
      expect(bench.fake.ends.get(offer.attemptId)).toMatchObject({ outcome: 'stopped' });
      expect(bench.fake.logs.bytes(offer.attemptId).toString()).toContain('asked');
      expect(bench.fake.beats.some((beat) => beat.paused)).toBe(true);
    },
    PATIENCE_MS,
  );

  it(
    'the launcher stops the jobs with no more grace than it grants',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected();
      const offer = anOffer('trap "" TERM; echo up; while :; do sleep 0.1; done', { graceSeconds: 300 });
      bench.fake.offer(offer);
      await eventually('the job is up', () => bench.fake.logs.storedLength(offer.attemptId) > 0);
      agent.send({ kind: 'stop', graceSeconds: 1 });
      expect(await agent.ended).toEqual({ code: 0, signal: null });
      expect(bench.fake.ends.get(offer.attemptId)).toMatchObject({ outcome: 'stopped', exit: { signal: 'SIGKILL' } });
    },
    PATIENCE_MS,
  );

  it(
    'a stop asked of an agent that is still starting stops the jobs it finds',
    async () => {
      const bench = await open();
      const first = await bench.startConnected();
      const offer = anOffer(`${bench.begins}; echo up; while :; do sleep 0.1; done`);
      bench.fake.offer(offer);
      await isRunning(bench, offer.attemptId);
      await first.kill();
      const second = bench.start();
      // Waits in the channel, and is there before anything else.
      second.send({ kind: 'stop', graceSeconds: 1 });
      expect(await second.ended).toEqual({ code: 0, signal: null });
      await bench.startConnected();
      expect(await eventually('the end', () => bench.fake.ends.get(offer.attemptId))).toMatchObject({
        outcome: 'stopped',
      });
    },
    PATIENCE_MS,
  );

  it(
    'a second signal skips the grace',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected({ MUSTER_AGENT_ON_TERM: 'stop' });
      const offer = anOffer('trap "echo asked" TERM; echo up; while :; do sleep 0.1; done', { graceSeconds: 300 });
      bench.fake.offer(offer);
      await eventually('the job is up', () => bench.fake.logs.storedLength(offer.attemptId) > 0);
      agent.signal('SIGTERM');
      await eventually('the job was asked', () => bench.fake.logs.bytes(offer.attemptId).toString().includes('asked'));
      // Signals close together are one wish.
      await new Promise((resolve) => setTimeout(resolve, 700));
      agent.signal('SIGINT');
      expect(await agent.ended).toEqual({ code: 0, signal: null });
      expect(bench.fake.ends.get(offer.attemptId)).toMatchObject({ outcome: 'stopped', exit: { signal: 'SIGKILL' } });
    },
    PATIENCE_MS,
  );

  it(
    'a launcher that dies leaves the jobs running',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected();
      const offer = anOffer(`echo up; ${bench.held}; echo still here`);
      bench.fake.offer(offer);
      await eventually('the job is up', () => bench.fake.logs.storedLength(offer.attemptId) > 0);
      agent.disconnect();
      expect(await agent.ended).toEqual({ code: 0, signal: null });
      await bench.startConnected();
      await bench.letGo();
      expect(await eventually('the end', () => bench.fake.ends.get(offer.attemptId))).toMatchObject({
        outcome: 'succeeded',
      });
    },
    PATIENCE_MS,
  );

  it(
    'a stop is carried out to its end also where nobody takes the reports, and the next start gives them',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected();
      const offer = anOffer('echo up; sleep 60');
      bench.fake.offer(offer);
      await eventually('the job is up', () => bench.fake.logs.storedLength(offer.attemptId) > 0);
      await bench.fake.stop();
      agent.send({ kind: 'stop', graceSeconds: 1 });
      expect(await agent.ended).toEqual({ code: 0, signal: null });
      await bench.fake.listen();
      await bench.startConnected();
      expect(await eventually('the end', () => bench.fake.ends.get(offer.attemptId))).toMatchObject({
        outcome: 'stopped',
      });
    },
    PATIENCE_MS,
  );
});
