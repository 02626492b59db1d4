import { createHash } from 'node:crypto';
import { eventually } from '@muster/testing';
import { anOffer, Bench } from './agent-process.js';

const PATIENCE_MS = 180_000;
const MIB = 1024 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs));

/** Seeded, so that a failing schedule can be run again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('an agent on a bad network', () => {
  const benches: Bench[] = [];
  const open = async (...options: Parameters<typeof Bench.open>): Promise<Bench> => {
    const bench = await Bench.open(...options);
    benches.push(bench);
    return bench;
  };
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.cleanUp();
  }, PATIENCE_MS);

  it(
    'delivers a log to the byte across 20 disconnects, lost answers and three kills of the agent',
    async () => {
      const random = randomOf(7);
      const bench = await open();
      const { fake } = bench;
      let agent = await bench.startConnected();
      const lines = 200_000;
      const offer = anOffer(
        `i=0; while [ $i -lt 20 ]; do seq $((i * ${lines / 20} + 1)) $(((i + 1) * ${lines / 20})); sleep 0.25; i=$((i + 1)); done; exit 5`,
      );
      fake.offer(offer);
      await eventually('the first bytes', () => fake.logs.storedLength(offer.attemptId) > 0);
      fake.faults = {
        drop: (event) => (event === 'log:append' && random() < 0.1 ? (random() < 0.5 ? 'reply' : 'request') : null),
      };
      for (let round = 0; round < 20; round += 1) {
        await pause(50 + random() * 250);
        if (round % 7 === 3) {
          await agent.kill();
          agent = bench.start();
        } else {
          fake.disconnectAll();
        }
      }
      fake.faults = {};
      const end = await eventually('the end', () => fake.ends.get(offer.attemptId), { timeoutMs: 90_000 });
      const wanted = Buffer.from(Array.from({ length: lines }, (_, i) => `${i + 1}\n`).join(''));
      await eventually('the whole log', () => fake.logs.storedLength(offer.attemptId) >= wanted.length, {
        timeoutMs: 90_000,
      });
      expect(end).toMatchObject({
        exit: { code: 5, signal: null },
        logs: { output: { length: wanted.length, sha256: sha256(wanted) } },
      });
      expect(sha256(fake.logs.bytes(offer.attemptId))).toBe(sha256(wanted));
    },
    PATIENCE_MS,
  );

  it(
    'starts a process once and ends it once however often questions and answers are lost',
    async () => {
      const bench = await open();
      const { fake } = bench;
      await bench.startConnected();
      const lost = new Map([
        ['attempt:start', 1],
        ['attempt:end', 1],
      ]);
      fake.faults = {
        drop: (event) => {
          const left = lost.get(event) ?? 0;
          lost.set(event, left - 1);
          return left > 0 ? 'reply' : null;
        },
      };
      const offer = anOffer('echo once');
      fake.offer(offer);
      fake.offer(offer);
      await eventually('the end is repeated', () => (lost.get('attempt:end') ?? 0) < 0, { timeoutMs: 60_000 });
      await eventually('the agent is idle', () => fake.beats.at(-1)?.executions.length === 0);
      fake.offer(offer);
      await pause(300);
      expect(fake.logs.bytes(offer.attemptId).toString()).toBe('once\n');
      expect(fake.ends.size).toBe(1);
    },
    PATIENCE_MS,
  );

  it(
    'gives back an attempt whose start is granted too late every time, and starts nothing',
    async () => {
      const bench = await open();
      const { fake } = bench;
      await bench.startConnected();
      fake.faults = { delayMs: (event) => (event === 'attempt:start' ? 400 : 0) };
      const offer = { ...anOffer('echo ran'), offerTtlMs: 300 };
      fake.offer(offer);
      await eventually('the refusal', () => fake.refusals.length === 1);
      expect(fake.refusals[0]).toMatchObject({ attemptId: offer.attemptId, reason: 'tooLate' });
      await eventually('the agent is idle', () => fake.beats.at(-1)?.executions.length === 0);
      expect(fake.logs.storedLength(offer.attemptId)).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'does not run what was granted while the machine stood still for too long',
    async () => {
      const bench = await open();
      const { fake } = bench;
      const agent = await bench.startConnected();
      fake.onStart = () => {
        // The answer is on its way; the machine stands still before it is read.
        agent.signal('SIGSTOP');
        setTimeout(() => agent.signal('SIGCONT'), 1_500);
        return { kind: 'go', leaseMs: 300_000 };
      };
      const offer = { ...anOffer('echo ran'), offerTtlMs: 1_000 };
      fake.offer(offer);
      await eventually('the refusal', () => fake.refusals.length === 1);
      expect(fake.refusals[0]).toMatchObject({ attemptId: offer.attemptId, reason: 'tooLate' });
      expect(fake.logs.storedLength(offer.attemptId)).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'beats on time while 50 MB of logs are under way on a slow connection',
    async () => {
      const bench = await open({ beatIntervalMs: 300 });
      const { fake } = bench;
      await bench.startConnected();
      fake.faults = { delayMs: (event) => (event === 'log:append' ? 40 : 0) };
      const offers = [1, 2].map(() => anOffer(`head -c ${25 * MIB} /dev/urandom`));
      const times: number[] = [];
      const beatsBefore = fake.beats.length;
      for (const offer of offers) fake.offer(offer);
      const stored = (): number => offers.reduce((sum, { attemptId }) => sum + fake.logs.storedLength(attemptId), 0);
      await eventually(
        '50 MB are stored',
        () => {
          if (fake.beats.length > beatsBefore + times.length) times.push(performance.now());
          return stored() === 50 * MIB;
        },
        { timeoutMs: 120_000, everyMs: 10 },
      );
      const longestMs = Math.max(...times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs)));
      expect(times.length).toBeGreaterThan(3);
      expect(longestMs).toBeLessThan(3_000);
      for (const { attemptId } of offers) {
        const end = await eventually('the end', () => fake.ends.get(attemptId));
        expect(end.logs.output).toEqual({ length: 25 * MIB, sha256: sha256(fake.logs.bytes(attemptId)) });
      }
    },
    PATIENCE_MS,
  );

  it(
    'keeps the first quarter and the last three of a flooding job, which is not held up by it',
    async () => {
      const bench = await open();
      const { fake } = bench;
      await bench.startConnected();
      const offer = anOffer('seq 1 200000; echo last', { limits: { logBytes: 400_000 } });
      fake.offer(offer);
      const end = await eventually('the end', () => fake.ends.get(offer.attemptId));
      const total = end.logs.output?.length ?? 0;
      await eventually('all that is kept', () => fake.logs.storedLength(offer.attemptId) === total);
      expect(fake.logs.gaps(offer.attemptId)).toEqual([{ offset: 100_000, length: total - 400_000 }]);
      const kept = fake.logs.bytes(offer.attemptId);
      expect(kept.subarray(0, 8).toString()).toBe('1\n2\n3\n4\n');
      expect(kept.subarray(-12).toString()).toBe('200000\nlast\n');
      expect(end.logs.output?.sha256).toBe(sha256(kept));
    },
    PATIENCE_MS,
  );

  it(
    'lets a job run on while nobody is there, and delivers everything afterwards',
    async () => {
      const bench = await open();
      const { fake } = bench;
      await bench.startConnected();
      const offer = anOffer('echo before; sleep 1; seq 1 20000; exit 9');
      fake.offer(offer);
      await eventually('it runs', () => fake.logs.storedLength(offer.attemptId) > 0);
      await fake.stop();
      await pause(2_000);
      await fake.listen();
      const end = await eventually('the end', () => fake.ends.get(offer.attemptId));
      expect(end.exit).toEqual({ code: 9, signal: null });
      await eventually('the log', () => fake.logs.storedLength(offer.attemptId) === end.logs.output?.length);
      expect(sha256(fake.logs.bytes(offer.attemptId))).toBe(end.logs.output?.sha256);
    },
    PATIENCE_MS,
  );
});
