import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { supervisorsOf } from '../src/agent-state.js';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { processesMarked, signal } from '../src/processes.js';
import { ROOT } from '../src/root.js';

interface Point {
  /** Lies on the way of a stop, so the job has a limit that stops it. */
  readonly isStop?: true;
  /** The exit was on disk before: it is what counts, and nothing runs again. */
  readonly isAfterExit?: true;
}

/** Every named crash point of the agent. */
const POINTS: Readonly<Record<string, Point>> = {
  afterIntent: {},
  beforeSpawn: {},
  afterSpawn: {},
  afterStopRecorded: { isStop: true },
  afterExitSeen: { isAfterExit: true },
  afterExitRecorded: { isAfterExit: true },
};
const VICTIMS = ['the agent', 'the agent and its supervisors'] as const;
const CASES = Object.keys(POINTS).flatMap((point) => VICTIMS.map((victims) => ({ point, victims })));
const AT_ONCE = 4;
const DIES_WITHIN_MS = 60_000;
const EXIT_CODE = 9;
const LOG = 'tick 0\ntick 1\ntick 2\n';

describe('an agent that dies at a named point', () => {
  let cluster: Cluster;
  const told = new Map<string, Promise<Story>>();

  beforeAll(async () => {
    cluster = await startCluster({ MUSTER_WORKER_TIMEOUT: '3s' });
    // Several at once, because each is mostly waiting. Each is judged by its own test.
    const left = CASES.values();
    const some = async (): Promise<void> => {
      for (const { point, victims } of left) {
        const story = tell(cluster, point, victims === VICTIMS[1]);
        told.set(`${point} ${victims}`, story);
        await story.catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, some));
  }, 900_000);
  afterAll(() => cluster?.stop());

  test('has all its points in this table', () => {
    const source = readFileSync(join(ROOT, 'apps/agent/src/supervisor/crash-points.ts'), 'utf8');
    const list = /CRASH_POINTS = \[([^\]]*)\]/.exec(source)?.[1] ?? '';
    const named = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(Object.keys(POINTS).sort()).toEqual(named.sort());
  });

  test.each(CASES)('gets the exit of its job right and leaves nothing when $victims end at $point', async ({ point, victims }) => {
    const story = await told.get(`${point} ${victims}`);
    const { isStop, isAfterExit } = POINTS[point] ?? {};
    const [last, ...earlier] = [...(story?.outcomes ?? [])].reverse();
    expect(story?.diedAtPoint).toBe(true);
    expect(story?.job).toMatchObject(isStop ? { status: 'failed', reason: 'timedOut' } : { status: 'failed', reason: 'nonZeroExit', exitCode: EXIT_CODE });
    expect(last).toBe(isStop ? 'timedOut' : 'failed');
    for (const outcome of earlier) expect(['refused', 'lost']).toContain(outcome);
    if (isStop || isAfterExit) expect(earlier).toEqual([]);
    if (!isStop) expect(story?.log).toBe(LOG);
    // Never twice for one attempt; an attempt that was refused or lost may have had its start.
    expect(new Set(story?.startedBy).size).toBe(story?.startedBy.length);
    expect(story?.startedBy.length).toBeGreaterThanOrEqual(1);
    expect([story?.processesLeft, story?.directoriesLeft]).toEqual([[], []]);
  });
});

interface Story {
  readonly diedAtPoint: boolean;
  readonly job: unknown;
  readonly outcomes: readonly (string | null)[];
  readonly log: string;
  /** Attempts whose process began, as the processes themselves noted it. */
  readonly startedBy: readonly string[];
  readonly processesLeft: readonly number[];
  readonly directoriesLeft: readonly string[];
}

/** For an agent that does not die where it should. */
async function notDead(): Promise<{ readonly signal: null }> {
  await new Promise((resolve) => setTimeout(resolve, DIES_WITHIN_MS));
  return { signal: null };
}

/** Plays one case: a worker and a job of its own, a death at the point, a second start, the end. */
async function tell({ api, folder, startAgent }: Cluster, point: string, withSupervisors: boolean): Promise<Story> {
  const name = `${point}-${withSupervisors ? 'all' : 'agent'}`;
  const runsFile = join(folder, `runs-${name}`);
  const stateDir = join(folder, `agent-${name}`);
  const { isStop } = POINTS[point] ?? {};
  const agent = await startAgent(name, { MUSTER_CRASH_AT: point, MUSTER_AGENT_LABELS: `case=${name}`, MUSTER_AGENT_SLOTS: '2' });
  const died = agent.exit();
  const id = await api.submit({
    name,
    run: { command: [process.execPath, fixture('counts-seconds.mjs')] },
    env: { RUNS_FILE: runsFile, TICKS: isStop ? '6000' : '3', TICK_MS: '100', EXIT_CODE: String(EXIT_CODE) },
    needs: { labels: { case: name } },
    limits: isStop ? { runSeconds: 1 } : {},
    graceSeconds: 1,
    retry: { backoffSeconds: 0 },
  });
  const { signal: endedBy } = await Promise.race([died, notDead()]);
  if (agent.isRunning) await agent.kill('SIGKILL');
  if (withSupervisors) for (const supervisor of supervisorsOf(stateDir)) signal(supervisor, 'SIGKILL');
  agent.start({ MUSTER_CRASH_AT: '' });
  const job = await api.waitForEnd(id);
  const processesLeft = processesMarked(runsFile);
  const log = isStop ? '' : (await api.completeLog(id)).toString();
  const directories = (): string[] => readdirSync(join(stateDir, 'attempts'));
  await eventually('its directory is gone', () => (directories().length === 0 ? true : undefined), 30_000).catch(() => undefined);
  const startedBy = readFileSync(runsFile, 'utf8').trim().split('\n').map((line) => line.split(' ')[0] ?? '');
  const outcomes = (await api.attempts(id)).map(({ outcome }) => outcome);
  return { diedAtPoint: endedBy === 'SIGKILL', job, outcomes, log, startedBy, processesLeft, directoriesLeft: directories() };
}
