import { eventually } from '@muster/testing';
import type { AttemptId, Offer } from '@muster/protocol';
import { anOffer, Bench } from './agent-process.js';

const PATIENCE_MS = 120_000;
/** Short, so that the fence at 0.7 of it is over in seconds. */
const LEASE_MS = 6_000;
const EXCLUSIVE = { disconnect: { lostAfterSeconds: 3, onWorkerLost: 'requeue', exclusive: true } } as const;
const TICKS = 'i=0; while [ $i -lt 150 ]; do echo tick; sleep 0.1; i=$((i + 1)); done; exit 6';

describe('a lease that nobody renews', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open({ beatIntervalMs: 500 });
    bench.fake.onStart = () => ({ kind: 'go', leaseMs: LEASE_MS });
    bench.fake.verdictOn = ({ attemptId, epoch, state }) =>
      state === 'exited'
        ? { kind: 'reportEnd', ref: { attemptId, epoch } }
        : { kind: 'keep', ref: { attemptId, epoch }, leaseMs: LEASE_MS, command: null };
  });
  afterEach(() => bench.cleanUp(), PATIENCE_MS);

  const running = async (...offers: Offer[]): Promise<void> => {
    for (const offer of offers) bench.fake.offer(offer);
    for (const { attemptId } of offers) {
      await eventually('it prints', () => bench.fake.logs.storedLength(attemptId) > 0);
    }
  };
  const endOf = (attemptId: AttemptId) => eventually('the end', () => bench.fake.ends.get(attemptId), { timeoutMs: 60_000 });

  it(
    'ends an exclusive job at its fence while no control plane is there, and every other job goes on and is delivered whole',
    async () => {
      await bench.startConnected();
      const fenced = anOffer(TICKS, EXCLUSIVE);
      const patient = anOffer(TICKS);
      await running(fenced, patient);
      await bench.fake.stop();
      // Twice the lease: whatever was to happen at its fence has happened.
      await new Promise((resolve) => setTimeout(resolve, 2 * LEASE_MS));
      await bench.fake.listen();

      expect(await endOf(patient.attemptId)).toMatchObject({ outcome: 'failed', exit: { code: 6, signal: null } });
      const end = await endOf(fenced.attemptId);
      // By its agent, or by the warden had there been none: never as an end of its own.
      expect(['superseded', 'lost']).toContain(end.outcome);
      expect(end.ranMs).toBeLessThan(LEASE_MS + 4_000);
      await eventually('the log of the one', () => bench.fake.logs.storedLength(patient.attemptId) === 150 * 5);
      await eventually(
        'the log of the other',
        () => bench.fake.logs.storedLength(fenced.attemptId) === end.logs.output?.length,
      );
    },
    PATIENCE_MS,
  );

  it(
    'ends an exclusive job at its fence while its agent stands still, and what the agent says afterwards is that it was lost',
    async () => {
      const agent = await bench.startConnected();
      const fenced = anOffer(TICKS, EXCLUSIVE);
      await running(fenced);
      agent.signal('SIGSTOP');
      const before = bench.fake.beats.length;
      await new Promise((resolve) => setTimeout(resolve, 2 * LEASE_MS));
      expect(bench.fake.beats.length - before).toBeLessThanOrEqual(1);
      agent.signal('SIGCONT');

      const end = await endOf(fenced.attemptId);
      expect(end.outcome).toBe('lost');
      // Killed while the agent stood still, not by the agent when it woke.
      expect(end.ranMs).toBeLessThan(LEASE_MS + 4_000);
    },
    PATIENCE_MS,
  );
});
