import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@muster/testing';
import { AGENT_PROGRAM, AgentProcess, anOffer, Bench, KEY } from './agent-process.js';

const PATIENCE_MS = 90_000;

describe('an agent', () => {
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
    'runs an offered job and tells its end, log, metrics and progress',
    async () => {
      const { fake, ...bench } = await withStarted(await open());
      const offer = anOffer(
        `echo hello; echo '{"step":1,"loss":2}' >> "$MUSTER_METRICS"; echo '0.5 half' >> "$MUSTER_PROGRESS"; echo 7 > "$MUSTER_RESULT"; sleep 0.5; exit 3`,
      );
      fake.offer(offer);
      const end = await eventually('the end', () => fake.ends.get(offer.attemptId));
      expect(end).toMatchObject({
        outcome: 'failed',
        exit: { code: 3, signal: null },
        logs: { output: { length: 6 } },
      });
      await eventually('the log', () => fake.logs.bytes(offer.attemptId).toString() === 'hello\n');
      await eventually('the metrics', () => fake.metrics.get(offer.attemptId)?.points.length === 1);
      expect(fake.progress.at(-1)).toMatchObject({ fraction: 0.5, message: 'half' });
      expect(fake.starts).toEqual([{ attemptId: offer.attemptId, epoch: 1 }]);
      await eventually('its directory is removed', async () => {
        await expect(stat(join(bench.stateDir, 'attempts', offer.attemptId))).rejects.toThrow('ENOENT');
        return true;
      });
    },
    PATIENCE_MS,
  );

  it(
    'declines what it cannot do, with the reason',
    async () => {
      const { fake } = await withStarted(await open());
      const offer = anOffer('true', { run: { external: { kind: 'http', payload: {} } } });
      fake.offer(offer);
      await eventually('the refusal', () => fake.refusals.length === 1);
      expect(fake.refusals[0]).toMatchObject({
        attemptId: offer.attemptId,
        reason: 'runKind',
        detail: expect.stringContaining('external:http'),
      });
      expect(fake.starts).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'ends with 78 on a bad configuration, naming every mistake',
    async () => {
      const bench = await open();
      const agent = bench.start({
        MUSTER_AGENT_SLOTS: 'many',
        MUSTER_AGENT_MONITOR_PORT: '99999',
        MUSTER_AGENT_KEY: '',
      });
      expect(await agent.ended).toEqual({ code: 78, signal: null });
      for (const name of ['MUSTER_AGENT_SLOTS', 'MUSTER_AGENT_MONITOR_PORT', 'MUSTER_AGENT_KEY'])
        expect(agent.output).toContain(name);
    },
    PATIENCE_MS,
  );

  it(
    'ends with 78 when its key is refused, naming no more of it than its prefix',
    async () => {
      const bench = await open({ keys: ['wak_another'] });
      const agent = bench.start();
      expect(await agent.ended).toEqual({ code: 78, signal: null });
      expect(agent.output).toContain('key wak_01TESTKE…');
      expect(agent.output).not.toContain(KEY);
    },
    PATIENCE_MS,
  );

  it.each(['protocolVersion', 'keyRevoked', 'removed'] as const)(
    'ends with 78 when told %s',
    async (reason) => {
      const bench = await open();
      const agent = await bench.startConnected();
      bench.fake.closeAll(reason);
      expect(await agent.ended).toEqual({ code: 78, signal: null });
    },
    PATIENCE_MS,
  );

  it(
    'stops what runs, and tells no end of it, when told that its worker was removed',
    async () => {
      const { fake, agent, stateDir } = await withStarted(await open());
      const marker = join(stateDir, 'stopped');
      const offer = anOffer(`trap 'touch ${marker}; exit 0' TERM; echo begun; while :; do sleep 0.05; done`);
      fake.offer(offer);
      await eventually('its output', () => fake.logs.bytes(offer.attemptId).toString() === 'begun\n');
      fake.closeAll('removed');
      expect(await agent.ended).toEqual({ code: 78, signal: null });
      await stat(marker);
      expect(fake.ends.size).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'comes back when the control plane says that it stops',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected();
      await eventually('a beat', () => bench.fake.beats.length > 0);
      bench.fake.closeAll('shuttingDown');
      await eventually('another hello', () => bench.fake.hellos.length === 2 && bench.fake.connectedCount === 1);
      expect(bench.fake.hellos[1]).toMatchObject({ session: 1, instanceId: bench.fake.hellos[0]?.instanceId });
      expect(agent.isAlive).toBe(true);
    },
    PATIENCE_MS,
  );

  it(
    'is one file that runs where nothing of the repository is',
    async () => {
      const bench = await open();
      const folder = await mkdtemp(join(tmpdir(), 'muster-bundle-'));
      const program = join(folder, 'agent.mjs');
      await copyFile(AGENT_PROGRAM, program);
      await bench.startConnected({}, program);
      const offer = anOffer('echo from one file');
      bench.fake.offer(offer);
      await eventually('its log', () => bench.fake.logs.bytes(offer.attemptId).toString() === 'from one file\n');
      await rm(folder, { recursive: true });
    },
    PATIENCE_MS,
  );

  it(
    'ends with 0 and does not come back when a newer agent has its identity',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected();
      bench.fake.closeAll('superseded');
      expect(await agent.ended).toEqual({ code: 0, signal: null });
      expect(agent.output).toContain('A newer agent with this identity is connected.');
      expect(bench.fake.hellos).toHaveLength(1);
    },
    PATIENCE_MS,
  );

  it(
    'tries an unreachable control plane for ever, saying when next',
    async () => {
      const bench = await open();
      await bench.fake.stop();
      const agent = bench.start();
      await eventually('five failed tries', () => agent.output.split('control plane unreachable').length > 5);
      expect(agent.output).toMatch(/"nextTryAt":"\d{4}-.*ECONNREFUSED|ECONNREFUSED.*"nextTryAt":"\d{4}-/);
      expect(agent.isAlive).toBe(true);
      await bench.fake.listen();
      await eventually('the hello', () => bench.fake.connectedCount === 1);
    },
    PATIENCE_MS,
  );

  it(
    'refuses a state directory that a living agent holds, and leaves that agent alone',
    async () => {
      const bench = await open();
      const first = await bench.startConnected();
      const second = bench.start();
      expect(await second.ended).toEqual({ code: 78, signal: null });
      expect(second.output).toContain(bench.stateDir);
      expect(first.isAlive).toBe(true);
      expect(bench.fake.connectedCount).toBe(1);
    },
    PATIENCE_MS,
  );

  it(
    'takes over the lock of an agent that was killed, as the same worker',
    async () => {
      const bench = await open();
      const first = await bench.startConnected();
      // The worker's id reaches the disk a moment after the hello; an agent killed in between is known by its machine.
      const path = join(bench.stateDir, 'identity.json');
      await eventually('the identity on disk', async () => /"workerId":"wkr_/.test(await readFile(path, 'utf8')));
      await first.kill();
      await bench.startConnected();
      const [before, after] = bench.fake.hellos;
      expect(after?.machineId).toBe(before?.machineId);
      expect(after?.instanceId).not.toBe(before?.instanceId);
      expect(after?.workerId).toBeDefined();
    },
    PATIENCE_MS,
  );

  it(
    'keeps its state to its owner',
    async () => {
      const bench = await open();
      await bench.startConnected();
      expect((await stat(bench.stateDir)).mode & 0o777).toBe(0o700);
      expect((await stat(join(bench.stateDir, 'identity.json'))).mode & 0o777).toBe(0o600);
    },
    PATIENCE_MS,
  );

  it(
    'says what is wrong with a state directory that cannot be one',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'muster-agent-'));
      const file = join(folder, 'file');
      await writeFile(file, '');
      const agent = new AgentProcess({ MUSTER_AGENT_KEY: KEY, MUSTER_AGENT_STATE_DIR: join(file, 'state') });
      expect(await agent.ended).toEqual({ code: 78, signal: null });
      expect(agent.output).toContain(join(file, 'state'));
      await rm(folder, { recursive: true });
    },
    PATIENCE_MS,
  );

  it(
    'says how it is doing on loopback',
    async () => {
      const bench = await open();
      const agent = await bench.startConnected();
      const url = await eventually(
        'the address',
        () => /"url":"(http:\/\/127\.0\.0\.1:\d+\/)"/.exec(agent.output)?.[1],
      );
      const status = await eventually('it is online', async () => {
        const found = (await (await fetch(url)).json()) as { status: string; slots: object; workerId: string };
        return found.status === 'online' && found;
      });
      expect(status).toMatchObject({
        slots: { total: 4, free: 4, quarantined: 0 },
        workerId: expect.stringMatching(/^wkr_/),
      });
      // On disk a moment after the hello: an agent killed in between is known by its machine.
      await eventually('the identity on disk', async () =>
        (await readFile(join(bench.stateDir, 'identity.json'), 'utf8')).includes(`"workerId":"${status.workerId}"`),
      );
    },
    PATIENCE_MS,
  );
});

async function withStarted(bench: Bench) {
  const agent = await bench.startConnected();
  return { agent, fake: bench.fake, stateDir: bench.stateDir };
}
