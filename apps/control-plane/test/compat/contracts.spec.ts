import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Rest } from '../rest.js';
import { FAST, startHarness, type Harness } from '../control-plane-harness.js';

/** Clients as their own systems wrote them: standard-library Python that sends the printed bodies and nothing of ours. */
const PROGRAMS = ['morag', 'finetunelab'] as const;
type Program = (typeof PROGRAMS)[number];

interface Verdict {
  readonly title: string;
  /** What was wrong. */
  readonly complaint: string | null;
}

/** Where there is no Python the contracts are not proven: said, and a failure where everything is demanded. */
const hasPython = spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasPython && process.env.MUSTER_TEST_REQUIRE === 'all') throw new Error('This machine lacks python3, which MUSTER_TEST_REQUIRE=all demands.');
const describeHere = hasPython ? describe : describe.skip;

const pathOf = (program: Program): string => join(import.meta.dirname, `${program}.py`);
function titlesOf(program: Program): string[] {
  if (!hasPython) return ['needs python3, which this machine lacks'];
  return JSON.parse(execFileSync('python3', ['-B', pathOf(program), '--list'], { encoding: 'utf8' })) as string[];
}

let harness: Harness;
const verdicts = new Map<Program, Promise<readonly Verdict[]>>();

beforeAll(async () => {
  if (!hasPython) return;
  harness = await startHarness({ config: FAST });
  const { secret } = await harness.createKey('admin', 'contracts');
  for (const program of PROGRAMS) verdicts.set(program, run(program, secret));
});
afterAll(async () => {
  await Promise.allSettled(verdicts.values());
  if (hasPython) await harness.stop();
});

async function run(program: Program, adminKey: string): Promise<Verdict[]> {
  const args = ['-B', pathOf(program), harness.controlPlane.url, adminKey, String(FAST.workerTimeoutMs / 1_000)];
  const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  const [lines, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (lines === '') throw new Error(errors);
  return lines.trim().split('\n').map((line) => JSON.parse(line) as Verdict);
}

describeHere.each(PROGRAMS)('the contract of %s', (program) => {
  it.each(titlesOf(program))('%s', async (title) => {
    const verdict = (await verdicts.get(program))?.find((one) => one.title === title);
    expect(verdict).toEqual({ title, complaint: null });
  }, 120_000);
});

(hasPython ? it : it.skip)("refused keys beyond what a rack of machines may send in a minute are 429, and a valid key still works", async () => {
  await Promise.allSettled(verdicts.values());
  const register = (key: string): Promise<number> =>
    new Rest(harness.controlPlane.url)
      .send('POST', '/compat/finetunelab/api/workers/register', { body: { api_key: key, hostname: 'flood', platform: 'linux', version: '1' } })
      .then(({ status }) => status);
  const statuses = new Set<number>();
  for (let sent = 0; sent <= 300; sent += 1) statuses.add(await register('wak_guessed'));
  expect([...statuses]).toEqual([401, 429]);
  expect(await register(harness.workerKey)).toBe(200);
});
