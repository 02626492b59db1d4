import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cli } from '../src/cli.js';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { expectedLines } from '../src/expected-lines.js';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

describe('logs through the muster command', () => {
  let cluster: Cluster;
  let cli: Cli;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.startAgent('one', { MUSTER_AGENT_SLOTS: '4' });
    const home = join(cluster.folder, 'home');
    mkdirSync(home);
    cli = new Cli(home, { MUSTER_URL: cluster.api.url, MUSTER_KEY: cluster.adminKey });
  });
  afterAll(async () => {
    cli?.stop();
    await cluster?.stop();
  });

  const bytesOf = (...words: string[]): Promise<Buffer> => cli.run(words).then(({ bytes }) => bytes);

  test('reach a pipe and a file byte for byte, escapes and all', async () => {
    const every = 'process.stdout.write(Buffer.from(Array.from({length: 1024}, (_, i) => i % 256)));';
    const bar = "process.stdout.write('\\r 10%\\r100%\\n\\u001b[31mred\\u001b[0m\\u001b]0;title\\u0007no end');";
    const expected = Buffer.concat([
      Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256)),
      Buffer.from('\r 10%\r100%\n\u001b[31mred\u001b[0m\u001b]0;title\u0007no end'),
    ]);
    const ran = await cli.run(['run', '--', process.execPath, '-e', every + bar]);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.bytes.equals(expected)).toBe(true);
    expect((await bytesOf('logs', '@last')).equals(expected)).toBe(true);
    expect((await bytesOf('logs', '-f', '@last')).equals(expected)).toBe(true);
    const file = join(cluster.folder, 'bytes.log');
    expect(await cli.run(['logs', '@last', '-o', file])).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(file).equals(expected)).toBe(true);
  });

  test('show the last lines, the lines that match, and one stream of two', async () => {
    await cli.run([
      'run',
      '--name',
      'ten',
      '--',
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done; printf rest',
    ]);
    expect((await bytesOf('logs', 'ten', '--tail', '3')).toString()).toBe('line 9\nline 10\nrest');
    expect((await bytesOf('logs', 'ten', '--tail', '100')).toString()).toMatch(/^line 1\n/);
    expect((await bytesOf('logs', 'ten', '-f', '--tail', '2')).toString()).toBe('line 10\nrest');
    expect((await bytesOf('logs', 'ten', '--tail', '0')).toString()).toBe('');
    expect((await bytesOf('logs', 'ten', '--grep', 'line .0|rest')).toString()).toBe('line 10\nrest\n');
    const apart = await cli.run([
      'run',
      '-q',
      '--name',
      'apart',
      '--separate-logs',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2',
    ]);
    expect(apart).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    expect((await bytesOf('logs', 'apart', '--stream', 'stderr')).toString()).toBe('err\n');
    expect(await cli.run(['logs', 'apart'])).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    const followed = await cli.run(['logs', 'apart', '-f', '--tail', '1']);
    expect(followed).toMatchObject({ stdout: 'out\n', stderr: expect.stringContaining('err\n') });
  });

  test('are told piece by piece to programs, and refused a file that cannot be written', async () => {
    await cli.run(['run', '--name', 'pieces', '--', 'sh', '-c', 'echo one; echo two']);
    const { stdout } = await cli.run(['logs', 'pieces', '--tail', '1', '--json']);
    const pieces = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; offset: number; base64: string });
    expect(pieces[0]).toMatchObject({ type: 'log', stream: 'output', offset: 4 });
    expect(pieces.map(({ base64 }) => Buffer.from(base64, 'base64').toString()).join('')).toBe('two\n');
    const refused = await cli.run(['logs', 'pieces', '-o', join(cluster.folder, 'no/such/folder')]);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('cannot be written') });
  });

  test('of an earlier attempt are kept apart from those of the last', async () => {
    const count = join(cluster.folder, 'tries');
    const script = `echo x >> ${count}; echo try $(wc -l < ${count}); [ $(wc -l < ${count}) -ge 2 ]`;
    expect(
      await cli.run(['run', '--name', 'tries', '--retries', '2', '--backoff', '0', '--shell', script]),
    ).toMatchObject({
      code: 0,
      stdout: 'try 1\ntry 2\n',
    });
    expect((await bytesOf('logs', 'tries', '--attempt', '1')).toString()).toBe('try 1\n');
    expect((await bytesOf('logs', 'tries')).toString()).toBe('try 2\n');
  });

  test('of a follower lose nothing and repeat nothing while the control plane is killed', async () => {
    const words = ['run', '-e', 'LINES=60000', '-e', 'WIDTH=80', '--', process.execPath, fixture('prints-lines.mjs')];
    const run = cli.start(words);
    await eventually('the job prints', () => (run.stdout().length > 0 ? true : undefined));
    await cluster.controlPlane.kill('SIGKILL');
    cluster.controlPlane.start();
    const { code, bytes } = await run.result;
    expect(code).toBe(0);
    expect(bytes.length).toBe(expectedLines(60_000, 80).length);
    expect(sha256(bytes)).toBe(sha256(expectedLines(60_000, 80)));
  });
});
