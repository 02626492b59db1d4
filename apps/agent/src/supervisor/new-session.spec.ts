import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installNewSession } from './new-session.js';

const run = promisify(execFile);
const tools = { env: '/usr/bin/env', shell: '/bin/sh' };
const isForThisMachine = process.platform === 'linux' && process.arch === 'x64';

describe('the small program that makes sessions', () => {
  let folder: string;
  let command: readonly [string, string];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-session-'));
    // Elsewhere the promises are those of what stands in for it.
    command = [(await installNewSession(folder, tools)) ?? 'setsid', tools.env];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const start = (words: readonly string[], env: Record<string, string> = {}) =>
    run(command[0], [...(command[0] === 'setsid' ? [] : [command[1]]), ...words], {
      env: { PATH: '/usr/bin:/bin', ...env },
    });

  it('is there on the machines it is made for, and nowhere else', async () => {
    expect(command[0]).toBe(isForThisMachine ? join(folder, 'new-session') : 'setsid');
    expect(await installNewSession(join(folder, 'absent'), tools)).toBeNull();
    expect(await installNewSession(folder, { ...tools, shell: '/bin/false' })).toBeNull();
  });

  it('leads a session of its own and stays the process it was', async () => {
    const child = start(['/bin/sh', '-c', 'read -r line </proc/$$/stat; printf %s "$line"']);
    const [pid, , , , group, session] = (await child).stdout.split(' ');
    expect([pid, group, session]).toEqual(Array(3).fill(String(child.child.pid)));
  });

  it('hands over every argument and every variable as it was', async () => {
    const all = Array.from({ length: 127 }, (_, index) => String.fromCodePoint(index + 1)).join('');
    const words = ['', all, 'é🌱', 'x'.repeat(100_000), '-x', '--'];
    const script = 'process.stdout.write(JSON.stringify([process.argv.slice(1), process.env.ODD, process.env.EMPTY]))';
    const env = { ODD: all, EMPTY: '' };
    const { stdout } = await start([process.execPath, '-e', script, '--', ...words], env);
    expect(JSON.parse(stdout)).toEqual([words, all, '']);
  });

  it('starts a script that names no interpreter, and tells what cannot be started at all', async () => {
    const script = join(folder, 'plain');
    writeFileSync(script, 'echo "$1"; exit 7\n');
    chmodSync(script, 0o755);
    await expect(start([script, 'said'])).rejects.toMatchObject({ code: 7, stdout: 'said\n' });
    const missing = join(folder, 'missing');
    await expect(start([missing])).rejects.toMatchObject({
      code: 127,
      stderr: expect.stringContaining(missing) as unknown,
    });
  });

  it('is a file that only its owner can change or start', async () => {
    if (!isForThisMachine) return expect(await installNewSession(folder, tools)).toBeNull();
    const [path] = command;
    expect(readFileSync(path).subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    const { stdout } = await run('stat', ['-c', '%a', path]);
    expect(stdout).toBe('700\n');
  });
});
