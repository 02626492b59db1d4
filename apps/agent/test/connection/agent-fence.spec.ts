import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@muster/testing';
import type { AttemptId, Offer } from '@muster/protocol';
import { pidsOf } from '../process/manager-harness.js';
import { anOffer, Bench } from './agent-process.js';

const PATIENCE_MS = 120_000;
/** Short, so that the fence at 0.7 of it is over in seconds. */
const LEASE_MS = 6_000;
const EXCLUSIVE = { disconnect: { lostAfterSeconds: 3, onWorkerLost: 'requeue', exclusive: true } } as const;
/** Never ends by itself, long as this test may wait. */
const fencedBy = (mark: string): string => `: ${mark}; while :; do echo tick; sleep 0.1; done; exit 6`;
const patientUntil = (file: string): string => `until [ -e '${file}' ]; do echo tick; sleep 0.1; done; echo done; exit 6`;

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
  const aMark = (): string => `fenced-${process.pid}-${randomUUID()}`;
  const isGone = (mark: string) => eventually('no process of it is left', async () => (await pidsOf(mark)).length === 0, { timeoutMs: 60_000 });
  const endOf = (attemptId: AttemptId) => eventually('the end', () => bench.fake.ends.get(attemptId), { timeoutMs: 60_000 });

  it(
    'ends an exclusive job at its fence while no control plane is there, and every other job goes on and is delivered whole',
    async () => {
      await bench.startConnected();
      const [mark, fenceIsPast] = [aMark(), join(bench.stateDir, 'fence-is-past')];
      const fenced = anOffer(fencedBy(mark), EXCLUSIVE);
      const patient = anOffer(patientUntil(fenceIsPast));
      const begunMs = performance.now();
      await running(fenced, patient);
      await bench.fake.stop();
      const ranUntilMs = performance.now() - begunMs;
      await isGone(mark);
      await writeFile(fenceIsPast, '');
      await bench.fake.listen();

      expect(await endOf(patient.attemptId)).toMatchObject({ outcome: 'failed', exit: { code: 6, signal: null } });
      const end = await endOf(fenced.attemptId);
      // By its agent, or by the warden had there been none: never as an end of its own.
      expect(['superseded', 'lost']).toContain(end.outcome);
      expect(end.ranMs).toBeLessThan(ranUntilMs + LEASE_MS + 4_000);
      await eventually('the log of the one', () => bench.fake.logs.bytes(patient.attemptId).toString().endsWith('tick\ndone\n'));
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
      const mark = aMark();
      const fenced = anOffer(fencedBy(mark), EXCLUSIVE);
      const begunMs = performance.now();
      await running(fenced);
      agent.signal('SIGSTOP');
      const ranUntilMs = performance.now() - begunMs;
      const before = bench.fake.beats.length;
      await isGone(mark);
      expect(bench.fake.beats.length - before).toBeLessThanOrEqual(1);
      agent.signal('SIGCONT');

      const end = await endOf(fenced.attemptId);
      expect(end.outcome).toBe('lost');
      expect(end.ranMs).toBeLessThan(ranUntilMs + LEASE_MS + 4_000);
    },
    PATIENCE_MS,
  );
});
