import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@muster/testing';
import { anOffer, Bench } from '../connection/agent-process.js';
import { canMount, machineHas } from '../process/machine.js';

const PATIENCE_MS = 120_000;
const MIB = 1024 * 1024;

describe('an agent whose disk is nearly full', () => {
  const itHere = machineHas('the right to mount a file system', canMount()) ? it : it.skip;
  itHere(
    'stays up and keeps its running job, declines new ones for that reason, and takes them again when there is room',
    async () => {
      const bench = await Bench.open({ beatIntervalMs: 500 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', bench.stateDir], { stdio: 'ignore' });
      try {
        const { fake } = bench;
        await bench.startConnected();
        const early = anOffer('echo up; while [ ! -e "$MUSTER_WORKSPACE/../../go-on" ]; do sleep 0.1; done; exit 4');
        fake.offer(early);
        await eventually('it runs', () => fake.logs.storedLength(early.attemptId) > 0);

        const { bavail, bsize } = statfsSync(bench.stateDir);
        const ballast = join(bench.stateDir, 'ballast');
        writeFileSync(ballast, Buffer.alloc(bavail * bsize - MIB));
        const offerOnce = (): void => fake.offer(anOffer('exit 0'));
        await eventually(
          'an offer is declined for want of room',
          () => {
            const isDeclined = fake.refusals.some(({ reason }) => reason === 'diskFloor');
            if (!isDeclined) offerOnce();
            return isDeclined;
          },
          { timeoutMs: 60_000, everyMs: 500 },
        );

        rmSync(ballast);
        const endsBefore = fake.ends.size;
        await eventually(
          'an offer is taken again',
          () => {
            offerOnce();
            return fake.ends.size > endsBefore;
          },
          { timeoutMs: 60_000, everyMs: 500 },
        );
        writeFileSync(join(bench.stateDir, 'attempts', 'go-on'), '');
        expect(await eventually('its end', () => fake.ends.get(early.attemptId))).toMatchObject({ exit: { code: 4 } });
      } finally {
        await bench.cleanUp().catch(() => undefined);
        execFileSync('umount', ['-l', bench.stateDir]);
        rmSync(bench.stateDir, { recursive: true, force: true });
      }
    },
    PATIENCE_MS,
  );

  itHere(
    'started without a byte free ends with a sentence and a code that has it started again, and then works',
    async () => {
      const bench = await Bench.open();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', bench.stateDir], { stdio: 'ignore' });
      try {
        const ballast = join(bench.stateDir, 'ballast');
        const { bavail, bsize } = statfsSync(bench.stateDir);
        writeFileSync(ballast, Buffer.alloc(bavail * bsize));
        const agent = bench.start();
        expect(await agent.ended).toEqual({ code: 1, signal: null });
        expect(agent.output).toContain('No space is left where the agent keeps its state');
        expect(agent.output).not.toMatch(/^ +at /m);
        rmSync(ballast);
        await bench.startConnected();
      } finally {
        await bench.cleanUp().catch(() => undefined);
        execFileSync('umount', ['-l', bench.stateDir]);
        rmSync(bench.stateDir, { recursive: true, force: true });
      }
    },
    PATIENCE_MS,
  );
});
