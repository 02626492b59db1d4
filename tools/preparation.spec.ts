import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

jest.setTimeout(60_000);

describe('a fresh clone', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'muster-clone-'));
    cpSync(join(import.meta.dirname, 'lib'), join(root, 'tools', 'lib'), { recursive: true });
    write('package-lock.json', JSON.stringify(lockOf({ pino: '10.4.0' })));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(path: string, content: string): void {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }

  /** A lock file: an installed package each, a workspace and a package for another platform. */
  function lockOf(versions: Record<string, string>) {
    const installed = Object.entries(versions).map(([name, version]) => [`node_modules/${name}`, { version }]);
    const others = {
      'libs/x': { version: '0.1.0' },
      'node_modules/@muster/x': { resolved: 'libs/x', link: true },
      'node_modules/only-elsewhere': { version: '1.0.0', optional: true },
    };
    return { packages: { '': {}, ...Object.fromEntries(installed), ...others } };
  }

  /** Evaluates an expression with a module of tools/lib, in a process of its own. */
  function ask(module: string, expression: string, env: Readonly<Record<string, string>> = {}): unknown {
    const url = pathToFileURL(join(root, 'tools', 'lib', `${module}.mjs`)).href;
    const code = `import * as lib from ${JSON.stringify(url)}; console.log(JSON.stringify(${expression})); process.exit();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    if (!stdout) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  const isInstalled = () => ask('installation', 'lib.isInstalled()');

  it('is installed when every package of the lock file is there in its version', () => {
    expect(isInstalled()).toBe(false);
    write('node_modules/.package-lock.json', JSON.stringify(lockOf({ pino: '10.4.0' })));
    expect(isInstalled()).toBe(true);
  });

  it('is not installed when a package is missing or in another version', () => {
    write('node_modules/.package-lock.json', JSON.stringify(lockOf({ pino: '10.3.0' })));
    expect(isInstalled()).toBe(false);
    write('node_modules/.package-lock.json', JSON.stringify(lockOf({})));
    expect(isInstalled()).toBe(false);
  });

  it('is installed without packages that are for other platforms', () => {
    const { packages } = lockOf({ pino: '10.4.0' });
    const present = Object.entries(packages).filter(([path]) => path !== 'node_modules/only-elsewhere');
    write('node_modules/.package-lock.json', JSON.stringify({ packages: Object.fromEntries(present) }));
    expect(isInstalled()).toBe(true);
  });

  it('is installed whole and built with its tools where NODE_ENV says production', () => {
    const note = `require('fs').appendFileSync('heard', [process.env.NODE_ENV ?? 'unset', ...process.argv.slice(2)].join(' ') + '\\n');`;
    write('npm-cli.js', note);
    write('node_modules/nx/dist/bin/nx.js', note);
    const production = { NODE_ENV: 'production', npm_execpath: join(root, 'npm-cli.js') };
    const silently = (work: string) =>
      `(console.log = () => 0, await ${work}, console.log = process.stdout.write.bind(process.stdout), 0)`;
    expect(ask('installation', silently('lib.install()'), production)).toBe(0);
    expect(ask('building', silently('lib.build()'), production)).toBe(0);
    const [installed, built] = readFileSync(join(root, 'heard'), 'utf8').split('\n');
    expect(installed).toMatch(/^unset ci .*--include=dev --include=optional/);
    expect(built).toMatch(/^unset run-many -t build/);
  });

  it('is built until a source changes, and a changed test is no change of what is built', () => {
    write('libs/x/package.json', '{"scripts":{"build":"true"}}');
    write('libs/x/src/index.ts', 'export {};');
    write('node_modules/nx/dist/bin/nx.js', 'require("fs").mkdirSync("libs/x/dist", { recursive: true });');
    const isBuilt = () => ask('building', 'lib.isBuilt()');
    expect(isBuilt()).toBe(false);
    expect(
      ask(
        'building',
        '(console.log = () => 0, await lib.build(), console.log = (line) => process.stdout.write(line), 0)',
      ),
    ).toBe(0);
    expect(isBuilt()).toBe(true);
    write('libs/x/src/index.spec.ts', 'it');
    expect(isBuilt()).toBe(true);
    utimesSync(join(root, 'libs/x/src/index.ts'), 1, 1);
    expect(isBuilt()).toBe(false);
  });

  it('is prepared by one at a time', async () => {
    const url = pathToFileURL(join(root, 'tools', 'lib', 'preparation-lock.mjs')).href;
    const trace = join(root, 'trace');
    const code = `
      import { withPreparationLock } from ${JSON.stringify(url)};
      import { appendFileSync } from 'node:fs';
      await withPreparationLock(async () => {
        appendFileSync(${JSON.stringify(trace)}, 'in ');
        await new Promise((resolve) => setTimeout(resolve, 50));
        appendFileSync(${JSON.stringify(trace)}, 'out ');
      });`;
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, ['--input-type=module', '-e', code]));
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(readFileSync(trace, 'utf8')).toBe('in out '.repeat(4));
  });

  it('can be prepared after somebody who did so was killed', async () => {
    const url = pathToFileURL(join(root, 'tools', 'lib', 'preparation-lock.mjs')).href;
    const begin = `import { withPreparationLock as run } from ${JSON.stringify(url)};`;
    const hang = `${begin} await run(() => { console.log('in'); return new Promise(() => setInterval(() => 0, 1000)); });`;
    const killed = spawn(process.execPath, ['--input-type=module', '-e', hang]);
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const { stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `${begin} await run(() => console.log('in'));`],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe('in\n');
  });

  it.each([
    ['ends when npm is gone', { npm_lifecycle_event: 'start' }, 'SIGTERM', 30_000],
    ['stays when whoever started it without npm is gone', {}, 'still there', 2_000],
  ])('has commands of which each %s', async (_title, extra, expected, waitMs) => {
    const url = pathToFileURL(join(root, 'tools', 'lib', 'npm-parent.mjs')).href;
    const { npm_lifecycle_event: _ours, ...env } = process.env;
    const code = `
      import { endWithNpm } from ${JSON.stringify(url)};
      endWithNpm();
      process.on('SIGTERM', () => { console.log('SIGTERM'); process.exit(); });
      setTimeout(() => { console.log('still there'); process.exit(); }, ${waitMs});
      console.log('ready');`;
    const parentCode = `require('child_process').spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(code)}], { stdio: 'inherit' })`;
    const parent = spawn(process.execPath, ['-e', parentCode], {
      env: { ...env, ...extra },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    parent.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output === 'ready\n') parent.kill('SIGKILL');
    });
    await once(parent, 'close');
    expect(output).toBe(`ready\n${expected}\n`);
  });
});
