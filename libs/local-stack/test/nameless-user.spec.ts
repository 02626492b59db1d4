import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNameMissing } from '../src/embedded-postgres/nameless-user.js';
import {
  installProgram,
  nodeForEveryone,
  prepareProgramFolder,
  runProgram,
  type PostgresFacts,
} from './support/program.js';

jest.setTimeout(180_000);

const isRoot = process.getuid?.() === 0;
const NAMELESS = 54_321;
const isListed = readFileSync('/etc/passwd', 'utf8').includes(`:x:${NAMELESS}:`);
const mayBecomeNameless = isRoot && !isListed;

describe('a user id that the system does not list', () => {
  let folder: string;
  let ownDir: string;
  const undo: (() => Promise<unknown>)[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-nameless-'));
    chmodSync(folder, 0o755);
    ownDir = mkdtempSync(join(folder, 'own-'));
    chmodSync(ownDir, 0o777);
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(env: Record<string, string | undefined>) {
    const programFolder = prepareProgramFolder(folder);
    const file = installProgram('start-postgres', programFolder);
    const node = nodeForEveryone(programFolder);
    const running = runProgram<PostgresFacts>(file, [join(ownDir, 'postgres')], {
      node,
      env,
      ...(mayBecomeNameless ? { uid: NAMELESS } : {}),
    });
    undo.push(async () => {
      running.child.stdin?.end();
      await running.exited;
    });
    return running;
  }

  it('gets its data where the system lets it take a name for a moment, and is refused elsewhere', async () => {
    const identity = mayBecomeNameless ? { uid: NAMELESS, gid: NAMELESS } : {};
    const probe = spawnSync('unshare', ['--user', '--map-user=65534', '--map-group=65534', 'true'], identity);
    const { answer } = run({ PATH: process.env.PATH });
    if (mayBecomeNameless && probe.status !== 0) {
      await expect(answer).rejects.toThrow(`user id ${NAMELESS} is not listed in /etc/passwd`);
      return;
    }
    expect(await answer).toMatchObject({ isNew: true, steps: ['initializing', 'starting', 'ready'] });
    const uid = mayBecomeNameless ? NAMELESS : process.getuid?.();
    expect(statSync(join(ownDir, 'postgres', 'data')).uid).toBe(uid);
  });

  it('is told who may start instead where it cannot take a name, and nothing is left', async () => {
    const { answer } = run({ PATH: '/nonexistent' });
    if (!mayBecomeNameless) {
      expect(await answer).toMatchObject({ isNew: true });
      return;
    }
    await expect(answer).rejects.toThrow(
      `user id ${NAMELESS} is not listed in /etc/passwd. Start Muster as a listed user, or set DATABASE_URL`,
    );
    expect(readdirSync(join(ownDir, 'postgres')).filter((name) => !name.startsWith('start.lock'))).toEqual([]);
  });

  it.each([
    ['unshare is not there', 'spawn unshare ENOENT', '', true],
    ['namespaces are forbidden', 'it ended with 1', 'unshare: unshare failed: Operation not permitted\n', true],
    ['the borrowed name does not exist', 'it ended with 1', 'initdb: could not look up effective user ID 65534', true],
    ['the disk is full', 'it ended with 1', 'initdb: error: could not write file: No space left on device', false],
  ])('is blamed only when it is the reason: %s', (_title, ending, output, isMissing) => {
    expect(isNameMissing(ending, output)).toBe(isMissing);
  });
});
