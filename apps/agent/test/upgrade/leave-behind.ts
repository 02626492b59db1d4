/** Has the present agent leave everything behind that it may have to find again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toId, type JobSpec, type WorkerId } from '@muster/protocol';
import { markSettled } from '../../src/connection/settled-mark.js';
import type { ExecutionId } from '../../src/execution/execution-types.js';
import { Identity } from '../../src/identity/identity.js';
import { StoredKey } from '../../src/identity/stored-key.js';
import { ShippedJournal } from '../../src/shipping/shipped-journal.js';
import { AttemptDirectory } from '../../src/supervisor/attempt-directory.js';
import { ManagerHarness } from '../process/manager-harness.js';

export const WORKER_ID: WorkerId = toId('wkr', 1, new Uint8Array(10));
export const KEY = `wak_${'0'.repeat(26)}${'k'.repeat(43)}AAAAAA`;
const TOKEN = `mst_enr_${'0'.repeat(26)}${'t'.repeat(43)}AAAAAA`;
export const SHIPPED_BYTES = 5;
/** Nothing of the machine it is recorded on. */
const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8' };

/** Executions by the names of their jobs; what becomes of each stands in the spec that reads them. */
const JOBS: Readonly<Record<string, Partial<JobSpec>>> = {
  exited: { run: { shell: 'echo hello; exit 7' } },
  'left-somebody': { run: { shell: 'sleep 300 & echo on; exit 4' } },
  cancelled: { run: { shell: 'echo on; exec sleep 300' } },
  'with-result': {
    logs: { separate: true },
    run: {
      shell:
        'echo out; echo err >&2; echo \'{"a":1}\' >"$MUSTER_RESULT"; echo \'{"loss":1}\' >"$MUSTER_METRICS"; echo 0.5 half >"$MUSTER_PROGRESS"',
    },
  },
};

/** Leaves no process behind. */
export async function leaveBehind(stateDir: string): Promise<void> {
  const identity = await Identity.open(stateDir);
  await identity.keepWorkerId(WORKER_ID);
  await new StoredKey(stateDir).keep(TOKEN, KEY);
  // The one rung that every machine has.
  const harness = await ManagerHarness.open({ stateDir, slots: 8, containment: 'group', environment: ENVIRONMENT });
  const ids: Record<string, ExecutionId> = {};
  try {
    for (const [name, spec] of Object.entries(JOBS)) {
      const id = await harness.begin({ name, graceSeconds: 2, ...spec });
      ids[name] = id;
      if (name === 'cancelled') {
        await harness.printed(id, 'on');
        await harness.manager.stop(id, { kind: 'stop', graceSeconds: 2, reason: 'cancelled' });
      }
      await harness.end(id);
    }
    // Accepted, and then the agent ended.
    for (const name of ['never-started', 'runs', 'stands-still', 'is-cancelled'])
      ids[name] = await harness.accept(toRun(name));
  } finally {
    await harness.manager.close();
  }
  const directoryOf = (name: string): string => join(stateDir, 'attempts', ids[name] ?? '');
  await markSettled(directoryOf('exited'));
  const shipped = new ShippedJournal(directoryOf('exited'));
  shipped.note('output', SHIPPED_BYTES);
  await shipped.flush();
  const note = (name: string, file: 'pause' | 'stop', value: object): void =>
    writeFileSync(new AttemptDirectory(directoryOf(name)).file(file), JSON.stringify(value));
  // As `PauseClock` and `writeStopRecord` write them.
  note('stands-still', 'pause', { frozenAtSeconds: 1, frozenMsTotal: 0 });
  note('is-cancelled', 'stop', { cause: 'cancelled', detail: null, atSeconds: 1, killAtSeconds: 2, signal: 'SIGTERM' });
}

/** Runs until a file of its name lies beside its journal. */
function toRun(name: string): Partial<JobSpec> {
  return {
    name,
    graceSeconds: 2,
    run: { shell: `echo on; until [ -e ../end ]; do sleep 0.05; done; echo over; exit 9` },
  };
}
