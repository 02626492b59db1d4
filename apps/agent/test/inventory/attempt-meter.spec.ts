import type { ContainmentRung } from '@muster/protocol';
import { AttemptMeter } from '../../src/inventory/attempt-meter.js';
import { runningPartOf } from '../../src/inventory/running-part.js';
import { canContain, machineHas } from '../process/machine.js';
import { ManagerHarness, eventually } from '../process/manager-harness.js';

const MIB = 1024 * 1024;
/** Works a little, holds 8 MiB, says who it and its child are, and stays. */
const SCRIPT = 'held=$(head -c 8388608 /dev/zero | tr "\\0" x); sleep 600 & echo "pids $$ $! ."; wait';

describe.each(['cgroup', 'group'] as ContainmentRung[])('what an attempt uses, contained by %s', (rung) => {
  const itHere = machineHas(rung, canContain(rung)) ? it : it.skip;

  itHere(
    'is told while it runs, with its share of the GPUs by its processes',
    async () => {
      const harness = await ManagerHarness.open({ containment: rung });
      try {
        const executionId = await harness.begin({ run: { shell: SCRIPT }, needs: {} });
        const log = await harness.printed(executionId, ' .');
        const [, main, child] = /pids (\d+) (\d+) \./.exec(log)?.map(Number) ?? [];
        const part = runningPartOf(harness.manager);
        expect(part.running().map(({ attemptId }) => attemptId)).toEqual([
          harness.manager.view(executionId).ref.attemptId,
        ]);
        const meter = new AttemptMeter(true);
        const onGpus = [
          { pid: main ?? 0, memoryMb: 512 },
          { pid: child ?? 0, memoryMb: 256 },
          { pid: process.pid, memoryMb: 10_000 },
          { pid: 2 ** 22, memoryMb: 10_000 },
        ];
        const [sample] = await meter.look(part.running(), onGpus);
        expect(sample?.gpuMemoryMb).toBe(768);
        expect(sample?.cpuSeconds).toBeGreaterThan(0);
        expect(sample?.cpuSeconds).toBeLessThan(60);
        expect(sample?.memoryBytes).toBeGreaterThan(8 * MIB);
        expect(sample?.memoryBytes).toBeLessThan(512 * MIB);

        const [untold] = await meter.look(part.running(), [{ pid: main ?? 0, memoryMb: null }]);
        expect(untold?.gpuMemoryMb).toBeNull();
        const [idle] = await meter.look(part.running(), []);
        expect(idle?.gpuMemoryMb).toBe(0);
        const [without] = await meter.look(part.running(), null);
        expect(without?.gpuMemoryMb).toBeNull();

        const [contained] = await new AttemptMeter(false).look(part.running(), onGpus);
        expect(contained?.gpuMemoryMb).toBeNull();

        const running = part.running();
        await harness.manager.stop(executionId, { kind: 'forceStop', graceSeconds: 0, reason: 'stopped' });
        await harness.end(executionId);
        expect(part.running()).toEqual([]);
        // One that ended between the list and the look is unknown, not idle.
        const gone = await eventually('its group is gone', async () => {
          const [after] = await new AttemptMeter().look(running, null);
          return after?.memoryBytes === null ? after : null;
        });
        expect(gone).toMatchObject({ cpuSeconds: null, memoryBytes: null, gpuMemoryMb: null });
      } finally {
        await harness.destroy();
      }
    },
    90_000,
  );
});
