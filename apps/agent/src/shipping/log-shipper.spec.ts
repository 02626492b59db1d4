import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptId, AttemptRef, LogAck, LogChunk } from '@muster/protocol';
import { createLogger, createSystemClock } from '@muster/runtime';
import { FakeLogStore } from '@muster/testing';
import { LogShipper, type LogSource } from './log-shipper.js';
import type { ShippingUplink } from './uplink.js';

const MIB = 1024 * 1024;
const clock = createSystemClock();
const logger = createLogger({ name: 'agent', level: 'silent' });
const refOf = (last: string): AttemptRef => ({ attemptId: `att_${last.padStart(26, '0')}` as AttemptId, epoch: 1 });
const ref = refOf('1');

/** The far end in memory, with whatever the test wants to happen to a chunk on its way. */
class TestUplink implements ShippingUplink {
  readonly store = new FakeLogStore();
  isUp = true;
  logChunkBytesMax = 65_536;
  disturb: (chunk: LogChunk) => Promise<'deliver' | 'loseRequest' | 'loseReply' | LogAck> = () =>
    Promise.resolve('deliver');
  inFlight = 0;
  inFlightMost = 0;
  readonly sent: LogChunk[] = [];
  private readonly listeners = new Set<() => void>();

  onUp(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  goUp(): void {
    this.isUp = true;
    for (const listener of this.listeners) listener();
  }

  async appendLog(chunk: LogChunk): Promise<LogAck> {
    this.inFlight += 1;
    this.inFlightMost = Math.max(this.inFlightMost, this.inFlight);
    this.sent.push(chunk);
    try {
      const fate = await this.disturb(chunk);
      if (fate === 'loseRequest') throw new Error('lost');
      if (fate !== 'deliver' && fate !== 'loseReply') return fate;
      const ack = this.store.append(chunk);
      if (fate === 'loseReply') throw new Error('lost');
      return ack;
    } finally {
      this.inFlight -= 1;
    }
  }

  appendMetrics(): Promise<{ storedLength: number }> {
    return Promise.reject(new Error('not used here'));
  }

  sendProgress(): Promise<void> {
    return Promise.resolve();
  }
}

interface Bench {
  readonly directory: string;
  readonly path: string;
  readonly uplink: TestUplink;
  readonly shipper: LogShipper;
  readonly source: LogSource;
}

const benches: Bench[] = [];

async function setup(given: { capBytes?: number; uplink?: TestUplink; directory?: string } = {}): Promise<Bench> {
  const directory = given.directory ?? (await mkdtemp(join(tmpdir(), 'muster-shipping-')));
  const path = join(directory, 'out.log');
  const uplink = given.uplink ?? new TestUplink();
  const shipper = new LogShipper({ uplink, clock, logger });
  const source = {
    key: 'one',
    ref,
    paths: { output: path },
    capBytes: given.capBytes ?? 256 * MIB,
    directory,
    isNew: false,
  };
  const bench = { directory, path, uplink, shipper, source };
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  for (const { shipper, directory } of benches.splice(0)) {
    await shipper.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const endMs = Date.now() + 30_000; !condition();) {
    if (Date.now() > endMs) throw new Error(`Waited 30 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const textOf = (lines: number): Buffer =>
  Buffer.from(Array.from({ length: lines }, (_, i) => `line ${i} of a log that grows\n`).join(''));

/** Seeded, so that a failing schedule can be run again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('the log shipper', () => {
  it('sends a log to its end also when it could not be proven, and proves the other stream all the same', async () => {
    const { directory, path, uplink, shipper, source } = await setup();
    const other = join(directory, 'err.log');
    // No file and no lack of one: a name that leads nowhere but back to itself.
    await symlink(path, path);
    await writeFile(other, 'bad\n');
    shipper.follow({ ...source, paths: { stdout: path, stderr: other } });
    expect(await shipper.finish('one')).toEqual({ stderr: { length: 4, sha256: sha256(Buffer.from('bad\n')) } });
    // At once: a moment without a file would be an empty log.
    await writeFile(`${path}.new`, 'good\n');
    await rename(`${path}.new`, path);
    expect(await shipper.whenDrained('one')).toBe('drained');
    expect(uplink.store.bytes(ref.attemptId, 'stdout').toString()).toBe('good\n');
  });

  it('carries a log that grows, and proves it at the end', async () => {
    const { shipper, source, uplink, path } = await setup();
    shipper.follow(source);
    await appendFile(path, 'first\n');
    await until(() => uplink.store.storedLength(ref.attemptId) === 6, 'the first line');
    await appendFile(path, 'second\n');
    await until(() => uplink.store.storedLength(ref.attemptId) === 13, 'the second line');
    const proofs = await shipper.finish('one');
    expect(await shipper.whenDrained('one')).toBe('drained');
    expect(proofs).toEqual({ output: { length: 13, sha256: sha256(Buffer.from('first\nsecond\n')) } });
  });

  it('calls a log that was never written empty', async () => {
    const { shipper, source, uplink } = await setup();
    shipper.follow(source);
    expect(await shipper.finish('one')).toEqual({ output: { length: 0, sha256: sha256(Buffer.alloc(0)) } });
    expect(await shipper.whenDrained('one')).toBe('drained');
    expect(uplink.sent).toHaveLength(0);
  });

  it('keeps stdout and stderr apart, each with its own proof', async () => {
    const { shipper, source, uplink, directory } = await setup();
    const paths = { stdout: join(directory, 'out'), stderr: join(directory, 'err') };
    await writeFile(paths.stdout, 'plain');
    await writeFile(paths.stderr, 'troubled');
    shipper.follow({ ...source, paths });
    const proofs = await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(proofs.stdout?.length).toBe(5);
    expect(proofs.stderr?.sha256).toBe(sha256(Buffer.from('troubled')));
    expect(uplink.store.bytes(ref.attemptId, 'stderr').toString()).toBe('troubled');
  });

  it('sends compressible bytes as gzip and others as they are', async () => {
    const { shipper, source, uplink, path } = await setup();
    await writeFile(path, Buffer.concat([textOf(3_000).subarray(0, 65_536), randomBytes(65_536)]));
    shipper.follow(source);
    await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(uplink.sent.map((chunk) => chunk.encoding)).toEqual(['gzip', 'identity']);
  });

  it('cuts a log into pieces as large as the control plane takes on this connection', async () => {
    const { shipper, source, uplink, path } = await setup();
    uplink.logChunkBytesMax = 262_144;
    await writeFile(path, randomBytes(600_000));
    shipper.follow(source);
    await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(uplink.sent.map((chunk) => chunk.rawLength)).toEqual([262_144, 262_144, 75_712]);
    expect(uplink.store.bytes(ref.attemptId).equals(await readFile(path))).toBe(true);
  });

  it('sends pieces in the order of their bytes, however long each takes to pack', async () => {
    const { shipper, source, uplink, path } = await setup();
    // Text takes longer than noise.
    const parts = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? textOf(3_000).subarray(0, 65_536) : randomBytes(65_536)));
    await writeFile(path, Buffer.concat(parts));
    shipper.follow(source);
    await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(uplink.sent.map((chunk) => chunk.offset)).toEqual(parts.map((_, index) => index * 65_536));
  });

  it('lets a line of one job pass what another has in flight', async () => {
    const { shipper, source, uplink, path, directory } = await setup();
    let answer = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (answer = resolve));
    // As much as fits into the window is on its way, and nothing is answered.
    uplink.disturb = async (chunk) => {
      if (chunk.attemptId === ref.attemptId && chunk.offset > 0) await stuck;
      return 'deliver';
    };
    await writeFile(path, randomBytes(2 * MIB));
    shipper.follow(source);
    await until(() => uplink.inFlight >= 4, 'a full window');
    const other = join(directory, 'other.log');
    await writeFile(other, 'a line\n');
    shipper.follow({ ...source, key: 'two', ref: refOf('2'), paths: { output: other } });
    await until(() => uplink.store.storedLength(refOf('2').attemptId) === 7, 'the line');
    answer();
    await shipper.finish('one');
    await shipper.whenDrained('one');
  });

  it('has at most 16 chunks of one attempt in flight', async () => {
    const { shipper, source, uplink, path } = await setup();
    await writeFile(path, randomBytes(4 * MIB));
    uplink.disturb = () => new Promise((resolve) => setTimeout(() => resolve('deliver'), 10));
    shipper.follow(source);
    await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(uplink.inFlightMost).toBeGreaterThan(4);
    expect(uplink.inFlightMost).toBeLessThanOrEqual(16);
    expect(sha256(uplink.store.bytes(ref.attemptId))).toBe(sha256(await readFile(path)));
  });

  it('stores every byte once while requests and replies are lost and arrive in any order', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const random = randomOf(seed);
      const { shipper, source, uplink, path } = await setup();
      uplink.disturb = async () => {
        await new Promise((resolve) => setTimeout(resolve, random() * 8));
        const draw = random();
        return draw < 0.05 ? 'loseRequest' : draw < 0.1 ? 'loseReply' : 'deliver';
      };
      shipper.follow(source);
      const wanted = randomBytes(1_500_000);
      for (let at = 0; at < wanted.length; at += 100_000) await appendFile(path, wanted.subarray(at, at + 100_000));
      const { output } = await shipper.finish('one');
      expect(await shipper.whenDrained('one')).toBe('drained');
      expect({ seed, sha256: sha256(uplink.store.bytes(ref.attemptId)) }).toEqual({ seed, sha256: sha256(wanted) });
      expect(output).toEqual({ length: wanted.length, sha256: sha256(wanted) });
    }
  }, 60_000);

  it('goes on where the server stands after a restart that lost the journal', async () => {
    const before = await setup();
    const wanted = randomBytes(300_000);
    await writeFile(before.path, wanted.subarray(0, 200_000));
    before.shipper.follow(before.source);
    await until(() => before.uplink.store.storedLength(ref.attemptId) === 200_000, 'the first part');
    await before.shipper.stop();
    await rm(join(before.directory, 'shipped.json'));
    await appendFile(before.path, wanted.subarray(200_000));

    const { shipper, source, uplink } = await setup({ directory: before.directory, uplink: before.uplink });
    shipper.follow(source);
    const { output } = await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(uplink.store.bytes(ref.attemptId).equals(wanted)).toBe(true);
    expect(output).toEqual({ length: 300_000, sha256: sha256(wanted) });
  });

  it('sends nothing twice after a restart that kept the journal', async () => {
    const before = await setup();
    await writeFile(before.path, randomBytes(200_000));
    before.shipper.follow(before.source);
    await before.shipper.finish('one');
    await before.shipper.whenDrained('one');
    await before.shipper.stop();
    const offered = before.uplink.store.offered;

    const { shipper, source, uplink } = await setup({ directory: before.directory, uplink: before.uplink });
    shipper.follow(source);
    await shipper.finish('one');
    expect(await shipper.whenDrained('one')).toBe('drained');
    expect(uplink.store.offered).toBe(offered);
  });

  it('goes back when the server has less than was acknowledged', async () => {
    const { shipper, source, uplink, path } = await setup();
    await writeFile(path, randomBytes(400_000));
    await writeFile(join(source.directory, 'shipped.json'), JSON.stringify({ output: 300_000 }));
    shipper.follow(source);
    await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(uplink.store.bytes(ref.attemptId).equals(await readFile(path))).toBe(true);
  });

  it('keeps the first quarter and the last three of a log over its cap, with one gap between', async () => {
    const { shipper, source, uplink, path } = await setup({ capBytes: 400_000 });
    const wanted = randomBytes(1_000_000);
    shipper.follow(source);
    await writeFile(path, wanted.subarray(0, 500_000));
    await until(() => uplink.store.storedLength(ref.attemptId) === 100_000, 'the head');
    await appendFile(path, wanted.subarray(500_000));
    const { output } = await shipper.finish('one');
    await shipper.whenDrained('one');
    const kept = Buffer.concat([wanted.subarray(0, 100_000), wanted.subarray(700_000)]);
    expect(uplink.store.gaps(ref.attemptId)).toEqual([{ offset: 100_000, length: 600_000 }]);
    expect(uplink.store.bytes(ref.attemptId).equals(kept)).toBe(true);
    expect(output).toEqual({ length: 1_000_000, sha256: sha256(kept) });
  });

  it('gives the disk back what a flooding log will never need, also while nobody is connected', async () => {
    if (process.platform !== 'linux') return;
    const { shipper, source, uplink, path } = await setup({ capBytes: 4 * MIB });
    uplink.isUp = false;
    const wanted = randomBytes(40 * MIB);
    await writeFile(path, wanted);
    shipper.follow(source);
    for (const endMs = Date.now() + 30_000; (await stat(path)).blocks * 512 > 8 * MIB;) {
      expect(Date.now()).toBeLessThan(endMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    uplink.goUp();
    const { output } = await shipper.finish('one');
    await shipper.whenDrained('one');
    const kept = Buffer.concat([wanted.subarray(0, MIB), wanted.subarray(37 * MIB)]);
    expect(output).toEqual({ length: wanted.length, sha256: sha256(kept) });
    expect(uplink.store.bytes(ref.attemptId).equals(kept)).toBe(true);
  }, 60_000);

  it('goes on under the attempt that the process was granted to anew', async () => {
    const { shipper, source, uplink, path } = await setup();
    const next = refOf('2');
    uplink.store.continueLog(next.attemptId, ref.attemptId);
    shipper.follow(source);
    await appendFile(path, 'before ');
    await until(() => uplink.store.storedLength(ref.attemptId) === 7, 'the first part');
    shipper.rebind('one', next);
    await appendFile(path, 'after');
    await shipper.finish('one');
    await shipper.whenDrained('one');
    expect(uplink.sent.at(-1)?.attemptId).toBe(next.attemptId);
    expect(uplink.store.bytes(next.attemptId).toString()).toBe('before after');
  });

  it('ends without more when the control plane wants none of it', async () => {
    const { shipper, source, uplink, path } = await setup();
    uplink.store.refuse(ref.attemptId);
    await writeFile(path, randomBytes(200_000));
    shipper.follow(source);
    expect(await shipper.whenDrained('one')).toBe('gone');
    expect((await shipper.finish('one')).output?.length).toBe(200_000);
    expect(uplink.store.offered).toBe(1);
  });

  it('waits as long as the control plane asks it to', async () => {
    const { shipper, source, uplink, path } = await setup();
    const answers: LogAck[] = [{ retryAfterMs: 200 }];
    const times: number[] = [];
    uplink.disturb = () => {
      times.push(performance.now());
      return Promise.resolve(answers.shift() ?? 'deliver');
    };
    await writeFile(path, 'x');
    shipper.follow(source);
    await shipper.finish('one');
    await shipper.whenDrained('one');
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(195);
  });

  it('flushes what was printed so far and then lets go', async () => {
    const { shipper, source, uplink, path } = await setup();
    shipper.follow(source);
    await writeFile(path, randomBytes(1_000_000));
    await shipper.flush(30_000);
    expect(uplink.store.storedLength(ref.attemptId)).toBe(1_000_000);
    await shipper.stop();
    expect(JSON.parse(await readFile(join(source.directory, 'shipped.json'), 'utf8'))).toEqual({ output: 1_000_000 });
  });
});
