/** Other slots while jobs run, and planned stops by order of the control plane: a real agent, real processes. */
import { eventually } from '@muster/testing';
import { anOffer, Bench } from './agent-process.js';

const PATIENCE_MS = 90_000;

describe('an agent whose worker is given other slots', () => {
  const benches: Bench[] = [];
  const open = async (): Promise<Bench> => {
    const bench = await Bench.open({ beatIntervalMs: 200 });
    benches.push(bench);
    return bench;
  };
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.cleanUp();
  }, PATIENCE_MS);

  const told = (
    bench: Bench,
    what: string,
    fits: (beat: Bench['fake']['beats'][number]) => boolean,
  ): Promise<unknown> => {
    const before = bench.fake.beats.length;
    return eventually(what, () => bench.fake.beats.slice(before).some(fits), { timeoutMs: PATIENCE_MS });
  };
  /** Offers so many jobs that run until they are let go, and waits until they print. */
  async function run(bench: Bench, count: number): Promise<ReturnType<typeof anOffer>[]> {
    const offers = Array.from({ length: count }, () => anOffer(`echo here; ${bench.held}`));
    for (const offer of offers) bench.fake.offer(offer);
    for (const { attemptId } of offers) {
      await eventually('it prints', () => bench.fake.logs.bytes(attemptId).toString() === 'here\n', {
        timeoutMs: PATIENCE_MS,
      });
    }
    return offers;
  }

  it(
    'opens more beside the jobs that run, takes as many jobs, and keeps its own number through it all',
    async () => {
      const bench = await open();
      await bench.startConnected({ MUSTER_AGENT_SLOTS: '1' });
      const [first] = await run(bench, 1);
      bench.fake.slots = 3;
      await told(bench, 'two slots are free', ({ slotsFree }) => slotsFree === 2);
      const more = await run(bench, 2);
      const tooMany = anOffer('true');
      bench.fake.offer(tooMany);
      await eventually('the refusal', () =>
        bench.fake.refusals.some(({ attemptId, reason }) => attemptId === tooMany.attemptId && reason === 'noSlot'),
      );
      bench.fake.disconnectAll();
      await eventually('it says hello again', () => bench.fake.hellos.length > 1 && bench.fake.connectedCount === 1);
      expect(bench.fake.hellos.map(({ slots }) => slots)).toEqual(bench.fake.hellos.map(() => 1));
      await bench.letGo();
      for (const offer of [first, ...more]) {
        const end = await eventually('it ends', () => offer && bench.fake.ends.get(offer.attemptId), {
          timeoutMs: PATIENCE_MS,
        });
        expect(end.outcome).toBe('succeeded');
      }
      await told(bench, 'all three are free', ({ slotsFree }) => slotsFree === 3);
    },
    PATIENCE_MS,
  );

  it(
    'closes those above when their jobs have ended, which it lets end, and takes nothing meanwhile',
    async () => {
      const bench = await open();
      await bench.startConnected({ MUSTER_AGENT_SLOTS: '3' });
      const offers = await run(bench, 3);
      bench.fake.slots = 1;
      await told(bench, 'it runs on', ({ executions, slotsFree }) => executions.length === 3 && slotsFree === 0);
      await bench.letGo();
      for (const { attemptId } of offers) {
        const end = await eventually('it ends', () => bench.fake.ends.get(attemptId), { timeoutMs: PATIENCE_MS });
        expect(end.outcome).toBe('succeeded');
      }
      await told(bench, 'one is free', ({ slotsFree }) => slotsFree === 1);
      bench.fake.slots = 3;
      await told(bench, 'three are free', ({ slotsFree }) => slotsFree === 3);
      const again = anOffer('exit 0');
      bench.fake.offer(again);
      expect((await eventually('it ends', () => bench.fake.ends.get(again.attemptId))).outcome).toBe('succeeded');
    },
    PATIENCE_MS,
  );

  it(
    'tells the end of a process that a drain stopped as a planned stop, by its signal and within its grace',
    async () => {
      const bench = await open();
      await bench.startConnected();
      const offer = anOffer(`trap 'echo leaving; exit 9' TERM; echo here; ${bench.held}`, { graceSeconds: 30 });
      bench.fake.offer(offer);
      await eventually('it prints', () => bench.fake.logs.bytes(offer.attemptId).toString() === 'here\n', {
        timeoutMs: PATIENCE_MS,
      });
      bench.fake.command(offer, { kind: 'stop', graceSeconds: 30, reason: 'cancelled', isPlanned: true });
      const end = await eventually('the end', () => bench.fake.ends.get(offer.attemptId), { timeoutMs: PATIENCE_MS });
      expect(end).toMatchObject({ outcome: 'stopped', exit: { code: 9, signal: null } });
      await eventually('its last words', () => bench.fake.logs.bytes(offer.attemptId).toString().endsWith('leaving\n'));
    },
    PATIENCE_MS,
  );
});
