import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockHolder, tryLock, waitForLock, type HeldLock } from './lock-file.js';

async function take(path: string, note?: Record<string, string>): Promise<HeldLock> {
  const outcome = await tryLock(path, note);
  if ('heldBy' in outcome) throw new Error(`Held by ${outcome.heldBy.pid}.`);
  return outcome.lock;
}

describe('a lock file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-lock-'));
    path = join(folder, 'start.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is held by one, who is named with a note', async () => {
    await take(path, { url: 'http://127.0.0.1:6878' });
    const second = await tryLock(path);
    expect(second).toMatchObject({ heldBy: { pid: process.pid, note: { url: 'http://127.0.0.1:6878' } } });
    expect(await lockHolder(path)).toMatchObject({ pid: process.pid });
  });

  it('can be taken again once it is released', async () => {
    const first = await take(path);
    await first.release();
    await first.release();
    expect(await lockHolder(path)).toBeUndefined();
    await take(path);
  });

  it('tells others a note that its holder changed', async () => {
    const lock = await take(path, { url: 'unknown' });
    await lock.describe({ url: 'known' });
    expect(await lockHolder(path)).toMatchObject({ note: { url: 'known' } });
  });

  it('is free when its holder is dead, also when another process has the same pid now', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    writeFileSync(`${path}.7`, JSON.stringify({ pid: dead.pid, startedAt: '1', bootId: 'x', note: {} }));
    const lock = await take(path);
    await lock.release();
    writeFileSync(`${path}.20`, JSON.stringify({ pid: process.ppid, startedAt: 'long ago', bootId: 'x', note: {} }));
    await take(path);
  });

  it.each(['', '{', 'null', '{"pid":"7","note":{}}', 'released'])('is free when its file holds %j', async (content) => {
    writeFileSync(`${path}.1`, content);
    await take(path);
  });

  it('has one holder at a time among many who want it', async () => {
    let holders = 0;
    let holdersMost = 0;
    const work = async () => {
      const lock = await waitForLock(path);
      holders += 1;
      holdersMost = Math.max(holdersMost, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 12 }, work));
    expect(holdersMost).toBe(1);
    expect(readdirSync(folder)).toEqual(['start.lock.12']);
  });

  it('does not let somebody slow take a number that was already used', async () => {
    // Two holders ago the number was 1; a starter that read the folder then would now try to make number 2.
    for (let round = 0; round < 3; round += 1) await (await take(path)).release();
    const lock = await take(path);
    writeFileSync(`${path}.2`, 'released');
    expect(await tryLock(path)).toMatchObject({ heldBy: { pid: process.pid } });
    await lock.release();
    await take(path);
    expect(JSON.parse(readFileSync(`${path}.5`, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('stops waiting when told to', async () => {
    await take(path);
    const controller = new AbortController();
    const waiting = waitForLock(path, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('makes the folder it needs and outlives its removal', async () => {
    const lock = await take(join(folder, 'new', 'start.lock'));
    rmSync(join(folder, 'new'), { recursive: true });
    await lock.release();
  });
});
