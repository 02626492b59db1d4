import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TIMES } from '@muster/protocol';
import { Rest } from '../rest.js';
import { startHarness, type Harness } from '../control-plane-harness.js';

/** Clients as their own systems wrote them: standard-library Python that sends the printed bodies and nothing of ours. */
const PROGRAMS = ['morag', 'finetunelab', 'training'] as const;
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

/** Silence is noticed soon where cases wait for it, and never where they do not: a stalled machine is not silent. */
const WAITING = { workerTimeoutMs: 6_000 };

let harnesses: readonly Harness[] = [];
const verdicts = new Map<Program, Promise<readonly Verdict[]>>();

beforeAll(async () => {
  if (!hasPython) return;
  // Each program that waits has one of its own: workers of several that fall silent together are an outage, and nothing is lost then.
  harnesses = await Promise.all([startHarness(), ...PROGRAMS.map(() => startHarness({ config: WAITING }))]);
  const [atOnce, ...waiting] = await Promise.all(harnesses.map(addressOf));
  for (const [index, program] of PROGRAMS.entries()) {
    const runs = [run(program, [...(atOnce ?? []), 'at-once']), run(program, [...(waiting[index] ?? []), 'waiting'])];
    verdicts.set(program, Promise.all(runs).then((both) => both.flat()));
  }
});
afterAll(async () => {
  await Promise.allSettled(verdicts.values());
  await Promise.all(harnesses.map((harness) => harness.stop()));
});

/** What a program has to know: where, by which key, and after how many seconds silence is noticed there. */
async function addressOf(harness: Harness): Promise<string[]> {
  const { secret } = await harness.createKey('admin', 'contracts');
  const { workerTimeoutMs } = harness === harnesses[0] ? TIMES : WAITING;
  return [harness.controlPlane.url, secret, String(workerTimeoutMs / 1_000)];
}

async function run(program: Program, args: readonly string[]): Promise<Verdict[]> {
  const child = spawn('python3', ['-B', pathOf(program), ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  const [lines, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (lines === '' && errors !== '') throw new Error(errors);
  return lines.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Verdict);
}

describeHere.each(PROGRAMS)('the contract of %s', (program) => {
  it.each(titlesOf(program))('%s', async (title) => {
    const verdict = (await verdicts.get(program))?.find((one) => one.title === title);
    expect(verdict).toEqual({ title, complaint: null });
  }, 120_000);
});

describe('refused keys', () => {
  let harness: Harness;
  // Of its own: what the contracts refuse is counted by the same minute.
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('beyond what a rack of machines may send in a minute are 429, and a valid key still works', async () => {
    const anonymous = new Rest(harness.controlPlane.url);
    const register = async (key: string): Promise<number> => {
      const body = { api_key: key, hostname: 'flood', platform: 'linux', version: '1' };
      return (await anonymous.send('POST', '/compat/finetunelab/api/workers/register', { body })).status;
    };
    const first = await Promise.all(Array.from({ length: 20 }, () => register('wak_guessed')));
    expect(new Set(first)).toEqual(new Set([401]));
    // A minute may end on the way.
    let last: readonly number[] = first;
    for (let round = 0; round < 100 && !last.includes(429); round += 1) {
      last = await Promise.all(Array.from({ length: 100 }, () => register('wak_guessed')));
    }
    expect(last).toContain(429);
    expect(await register(harness.workerKey)).toBe(200);
  }, 120_000);
});
