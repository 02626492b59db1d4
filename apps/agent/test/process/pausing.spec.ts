import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainmentRung } from '@muster/protocol';
import type { ExecutionId } from '../../src/execution/execution-types.js';
import { canContain, machineHas } from './machine.js';
import { aStateDir, eventually, FIXTURES, ManagerHarness, pidsOf } from './manager-harness.js';

jest.setTimeout(120_000);

/** How long a job is watched that must not move; it counts some twenty times in that time. */
const WATCHED_MS = 300;

/** Counts in its own process and in a grandchild that left its session, until there is a file of the name `mark`. */
const counting = (mark: string): string[] => {
  const count = 'i=0; while [ ! -e "$1" ]; do i=$((i + 1)); echo "$0 $i"; sleep 0.01; done';
  return [
    '/bin/sh',
    '-c',
    `sh -c 'setsid sh -c "$1" "away" "$0" & wait' "$0" '${count}' & sh -c '${count}' home "$0"; wait`,
    mark,
  ];
};

describe.each(['cgroup', 'namespace', 'group'] as ContainmentRung[])('pausing in containment by %s', (rung) => {
  const itHere = machineHas(`containment "${rung}"`, canContain(rung)) ? it : it.skip;
  const harnesses: ManagerHarness[] = [];
  const open = async (stateDir = aStateDir()): Promise<ManagerHarness> => {
    const harness = await ManagerHarness.open({ containment: rung, stateDir });
    harnesses.push(harness);
    return harness;
  };
  afterEach(async () => {
    for (const harness of harnesses.splice(0).reverse()) await harness.destroy();
  });

  async function standsStill(harness: ManagerHarness, executionId: ExecutionId): Promise<boolean> {
    const before = harness.log(executionId);
    await sleep(WATCHED_MS);
    return harness.log(executionId) === before;
  }

  /** Goes on in both processes, skips no number and repeats none, and ends. */
  async function goesOn(harness: ManagerHarness, executionId: ExecutionId, mark: string): Promise<void> {
    const countOf = (name: string) => harness.log(executionId).match(new RegExp(`^${name} \\d+$`, 'gm'))?.length ?? 0;
    const before = { home: countOf('home'), away: countOf('away') };
    await eventually('both count again', () =>
      countOf('home') > before.home && countOf('away') > before.away ? true : null,
    );
    writeFileSync(mark, '');
    expect(await harness.end(executionId)).toMatchObject({ outcome: 'succeeded' });
    const lines = harness.log(executionId).trim().split('\n');
    for (const name of ['home', 'away']) {
      expect(lines.filter((line) => line.startsWith(name))).toEqual(
        Array.from({ length: countOf(name) }, (_, i) => `${name} ${i + 1}`),
      );
    }
  }

  itHere('asked for at once, waits for the process and stops it before it gets far', async () => {
    const harness = await open();
    const mark = join(harness.stateDir, 'enough');
    const executionId = await harness.begin({ run: { command: counting(mark) } });
    await harness.manager.freeze(executionId);
    expect(harness.manager.view(executionId).phase).toBe('paused');
    expect(await standsStill(harness, executionId)).toBe(true);
    await harness.manager.thaw(executionId);
    await goesOn(harness, executionId, mark);
  });

  itHere('outlives the agent, and holds for its successor also what was let go half-way', async () => {
    const first = await open();
    const mark = join(first.stateDir, 'enough');
    const executionId = await first.begin({ run: { command: counting(mark) } });
    await first.printed(executionId, 'away 5');
    await first.manager.freeze(executionId);
    await first.manager.close();
    harnesses.pop();
    // As an agent that died between letting go and writing it down.
    for (const pid of await pidsOf(mark)) process.kill(pid, 'SIGCONT');

    const second = await open(first.stateDir);
    const [found] = await second.manager.recover();
    expect(found).toMatchObject({ kind: 'adopted', view: { phase: 'paused' } });
    expect(await standsStill(second, executionId)).toBe(true);
    await second.manager.thaw(executionId);
    await goesOn(second, executionId, mark);
  });

  itHere('that is recorded nowhere ends with the agent: its successor lets the job go on', async () => {
    const first = await open();
    const mark = join(first.stateDir, 'enough');
    const executionId = await first.begin({ run: { command: counting(mark) } });
    await first.printed(executionId, 'away 5');
    await first.manager.freeze(executionId);
    await first.manager.close();
    harnesses.pop();
    rmSync(join(first.manager.paths(executionId).directory, 'pause.json'));

    const second = await open(first.stateDir);
    const [found] = await second.manager.recover();
    expect(found).toMatchObject({ kind: 'adopted', view: { phase: 'running' } });
    await goesOn(second, executionId, mark);
  });

  itHere('that the disk does not take is refused, and stops nobody however often it is asked for', async () => {
    const harness = await open();
    const mark = join(harness.stateDir, 'enough');
    const executionId = await harness.begin({ run: { command: counting(mark) } });
    await harness.printed(executionId, 'away 5');
    mkdirSync(join(harness.manager.paths(executionId).directory, 'pause.json.new'));
    for (let time = 0; time < 2; time++) await expect(harness.manager.freeze(executionId)).rejects.toThrow();
    expect(harness.manager.view(executionId).phase).toBe('running');
    await goesOn(harness, executionId, mark);
  });

  itHere('gives way to a stop that comes while it is under way: the job hears its signal', async () => {
    const harness = await open();
    const executionId = await harness.begin({ run: { command: ['/bin/sh', `${FIXTURES}/ends-on-sigterm.sh`] } });
    await harness.printed(executionId, 'ready');
    const frozen = harness.manager.freeze(executionId);
    await harness.manager.stop(executionId, { kind: 'stop', graceSeconds: 60, reason: 'cancelled' });
    await frozen;
    expect(await harness.end(executionId)).toMatchObject({ outcome: 'cancelled', exit: { code: 7, signal: null } });
  });
});
