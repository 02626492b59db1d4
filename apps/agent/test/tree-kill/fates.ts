/** The ways in which a job comes to its end, each brought upon the whole corpus at once. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainmentRung } from '@muster/protocol';
import type { ExecutionEnd, ExecutionId, RecoveredExecution, SlotCount, StopRequest } from '../../src/execution/execution-types.js';
import { AttemptDirectory } from '../../src/supervisor/attempt-directory.js';
import type { DriverProgram } from '../process/driver-process.js';
import { anOffer, aStateDir, clock, eventually, ManagerHarness } from '../process/manager-harness.js';
import { MarkedFolder } from './marked-folder.js';
import type { Shape } from './shapes.js';

export interface Fate {
  readonly ends: ReadonlyMap<Shape, ExecutionEnd>;
  /** Of whom somebody still lives after every end was told. */
  readonly survivors: readonly string[];
  readonly slots: SlotCount;
}

export interface Stage {
  readonly rung: ContainmentRung;
  readonly shapes: readonly Shape[];
  readonly program: DriverProgram;
}

const GENTLE: StopRequest = { kind: 'stop', graceSeconds: 0.3, reason: 'cancelled' };
const FORCE: StopRequest = { kind: 'forceStop', graceSeconds: 0, reason: 'cancelled' };

export const FATES = {
  'is cancelled with a grace': (stage: Stage) => underOneAgent(stage, 'stays', (all) => all.stop(GENTLE)),
  'is killed by force': (stage: Stage) => underOneAgent(stage, 'stays', (all) => all.stop(FORCE)),
  'ends by itself': (stage: Stage) => underOneAgent(stage, 'leaves', async (all) => all.folder.letThemLeave()),
  'is cancelled after its agent was killed': (stage: Stage) =>
    acrossAgents(stage, { mode: 'stays', between: async () => undefined, after: (all) => all.stop(GENTLE) }),
  'ends by itself while no agent is there': (stage: Stage) =>
    acrossAgents(stage, {
      mode: 'leaves',
      between: async (folder, directories) => {
        folder.letThemLeave();
        await Promise.all(directories.map(ended));
      },
      after: async () => undefined,
    }),
  'passes its fence while no agent is there': (stage: Stage) =>
    acrossAgents(stage, {
      mode: 'stays',
      isExclusive: true,
      between: async (_folder, directories) => {
        for (const directory of directories) passFence(directory);
        await Promise.all(directories.map(ended));
      },
      after: async () => undefined,
    }),
} as const;
export type FateName = keyof typeof FATES;

/** The jobs of the corpus under one manager. */
class Corpus {
  readonly ends = new Map<Shape, ExecutionEnd>();

  constructor(
    readonly folder: MarkedFolder,
    private readonly harness: ManagerHarness,
    private readonly ids: ReadonlyMap<Shape, ExecutionId>,
  ) {}

  async stop(request: StopRequest): Promise<void> {
    await Promise.all([...this.ids.values()].map((id) => this.harness.manager.stop(id, request)));
  }

  async allEnded(known: ReadonlyMap<ExecutionId, ExecutionEnd> = new Map()): Promise<Fate> {
    for (const [shape, id] of this.ids) this.ends.set(shape, known.get(id) ?? (await this.harness.end(id)));
    const survivors = await this.folder.survivors([...this.ids.keys()]);
    return { ends: this.ends, survivors, slots: this.harness.manager.slots() };
  }
}

async function underOneAgent(
  stage: Stage,
  mode: 'stays' | 'leaves',
  bring: (all: Corpus) => Promise<void>,
): Promise<Fate> {
  const folder = new MarkedFolder();
  const harness = await ManagerHarness.open({ slots: stage.shapes.length, containment: stage.rung });
  try {
    const ids = new Map<Shape, ExecutionId>();
    for (const shape of stage.shapes) {
      ids.set(shape, await harness.begin({ run: { command: folder.command(shape, mode) } }));
    }
    for (const id of ids.values()) await harness.printed(id, 'ready');
    const all = new Corpus(folder, harness, ids);
    await bring(all);
    return await all.allEnded();
  } finally {
    await folder.destroy();
    await harness.destroy();
  }
}

interface Acts {
  readonly mode: 'stays' | 'leaves';
  /** The jobs have a deadline, far away. */
  readonly isExclusive?: true;
  readonly between: (folder: MarkedFolder, directories: readonly AttemptDirectory[]) => Promise<void>;
  readonly after: (all: Corpus) => Promise<void>;
}

/** A first agent starts the corpus and is killed, the second one finds it. */
async function acrossAgents({ rung, shapes, program }: Stage, acts: Acts): Promise<Fate> {
  const folder = new MarkedFolder();
  const stateDir = aStateDir();
  const offers = shapes.map((shape) => anOffer({ run: { command: folder.command(shape, acts.mode) } }));
  const grant = acts.isExclusive ? { grant: { deadlineMs: clock.monotonicMs() + 600_000 } } : {};
  const first = program.start(stateDir, shapes.length, offers.map((offer) => ({ offer, ...grant })), {}, { containment: rung });
  let harness: ManagerHarness | null = null;
  try {
    await first.says('all started', (line) => line.kind === 'allStarted');
    for (const shape of shapes) await eventually(`${shape} beats`, () => (folder.beats(shape) > 0 ? true : null));
    await first.kill();
    await acts.between(folder, directoriesIn(stateDir));

    harness = await ManagerHarness.open({ stateDir, slots: shapes.length, containment: rung });
    const found = await harness.manager.recover();
    const all = new Corpus(folder, harness, idsByShape(found, shapes));
    await acts.after(all);
    return await all.allEnded(endsOf(found));
  } finally {
    await first.kill();
    await folder.destroy();
    harness ??= await ManagerHarness.open({ stateDir });
    await harness.destroy();
  }
}

const directoriesIn = (stateDir: string): AttemptDirectory[] =>
  readdirSync(join(stateDir, 'attempts')).map((name) => new AttemptDirectory(join(stateDir, 'attempts', name)));

/** As if the machine had been left alone until then; the warden reads what is there. */
function passFence(directory: AttemptDirectory): void {
  const [, cgroup = '-'] = readFileSync(directory.file('deadline'), 'utf8').trim().split(' ');
  writeFileSync(directory.file('deadline'), `1 ${cgroup}\n`);
}

const ended = (directory: AttemptDirectory): Promise<true> =>
  eventually('the end is on disk', () => (directory.readStatus() ? true : null));

function idsByShape(found: readonly RecoveredExecution[], shapes: readonly Shape[]): Map<Shape, ExecutionId> {
  const ids = new Map<Shape, ExecutionId>();
  for (const one of found) {
    const words = one.kind === 'neverStarted' ? [] : (one.view.spec.run.command ?? []);
    const shape = shapes.find((name) => words.includes(name));
    if (shape !== undefined && one.kind !== 'neverStarted') ids.set(shape, one.view.executionId);
  }
  return ids;
}

function endsOf(found: readonly RecoveredExecution[]): Map<ExecutionId, ExecutionEnd> {
  const ends = new Map<ExecutionId, ExecutionEnd>();
  for (const one of found) if (one.kind === 'ended' && one.view.end) ends.set(one.view.executionId, one.view.end);
  return ends;
}
