import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttemptDirectory } from '../../src/supervisor/attempt-directory.js';
import { DriverProgram, type Driver } from './driver-process.js';
import { anOffer, aStateDir, eventually, removeStateDir } from './manager-harness.js';

jest.setTimeout(120_000);

describe('an agent without privileges', () => {
  let program: DriverProgram;
  let stateDir: string;
  let driver: Driver | null = null;
  beforeAll(async () => {
    program = await DriverProgram.build();
  });
  afterAll(() => program.remove());
  beforeEach(() => {
    stateDir = aStateDir();
  });
  afterEach(async () => {
    await driver?.kill();
    driver = null;
    chmodSync(join(stateDir, 'attempts'), 0o755);
    removeStateDir(stateDir);
  });
  const directories = (): AttemptDirectory[] =>
    readdirSync(join(stateDir, 'attempts')).map((name) => new AttemptDirectory(join(stateDir, 'attempts', name)));

  it('removes a workspace whose folders the job closed and whose names are no text', async () => {
    const shell =
      'mkdir -p a/b shut; echo x >a/b/c; echo x >"$(printf "b\\377d")"; ln -s / root; chmod 0555 a/b a; chmod 0 shut; echo done';
    const offer = anOffer({ run: { shell } });
    driver = program.startUnprivileged(stateDir, 1, [{ offer }]);
    expect((await driver.ended(offer.attemptId)).end).toMatchObject({ outcome: 'succeeded' });

    const [directory] = directories();
    await eventually('the workspace is gone', () => (directory?.has('workspace') ? null : true));
    expect([directory?.has('intent'), directory?.has('end') || directory?.has('status')]).toEqual([true, true]);
  });

  it('starts again beside directories that it cannot remove, and knows all the others', async () => {
    const offer = anOffer({ run: { shell: 'exit 4' } });
    driver = program.startUnprivileged(stateDir, 1, [{ offer }]);
    await driver.ended(offer.attemptId);
    await driver.kill();
    const torn = ['exe-0-torn', 'exe-z-torn'].map((name) => new AttemptDirectory(join(stateDir, 'attempts', name)));
    for (const { path } of torn) mkdirSync(path);
    writeFileSync(join(stateDir, 'attempts', 'no-directory'), '');
    chmodSync(join(stateDir, 'attempts'), 0o555);

    driver = program.startUnprivileged(stateDir, 1, []);
    await driver.ready();
    const recovered = driver.lines.filter((line) => line.kind === 'recovered');
    expect(recovered).toMatchObject([{ recovered: 'ended', view: { end: { exit: { code: 4 } } } }]);
    expect(torn.map(({ path }) => existsSync(path))).toEqual([true, true]);
  });
});
