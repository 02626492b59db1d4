import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptId, MetricsAppend, Progress } from '@muster/protocol';
import { createLogger, createSystemClock, type Clock } from '@muster/runtime';
import { eventually } from '@muster/testing';
import { MetricShipper } from './metric-shipper.js';
import { ProgressBudget } from './progress-budget.js';
import { ProgressShipper } from './progress-shipper.js';
import type { ShippingUplink } from './uplink.js';

const ref = { attemptId: 'att_00000000000000000000000001' as AttemptId, epoch: 1 };
const clock = createSystemClock();
const logger = createLogger({ name: 'agent', level: 'silent' });

/** Stores points by the control plane's rule, and may fail as it does. */
class TestUplink implements ShippingUplink {
  isUp = true;
  readonly logChunkBytesMax = 65_536;
  readonly progress: Progress[] = [];
  readonly batches: MetricsAppend[] = [];
  storedLength = 0;
  points: unknown[] = [];
  failures = 0;
  /** For every batch with points; where it is stubborn, for every batch. */
  refusal: Error | null = null;
  isStubborn = false;

  onUp(): () => void {
    return () => undefined;
  }
  appendLog(): Promise<never> {
    return Promise.reject(new Error('not used here'));
  }
  appendMetrics(batch: MetricsAppend): Promise<{ storedLength: number }> {
    this.batches.push(batch);
    if (this.refusal && (batch.points.length > 0 || this.isStubborn)) return Promise.reject(this.refusal);
    if (batch.offset === this.storedLength) {
      this.storedLength += batch.rawLength;
      this.points.push(...batch.points.map(({ values }) => values));
    }
    // The answer is lost, the batch is not.
    if (this.failures-- > 0) return Promise.reject(new Error('lost'));
    return Promise.resolve({ storedLength: this.storedLength });
  }
  sendProgress(progress: Progress): Promise<void> {
    this.progress.push(progress);
    return Promise.resolve();
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-metrics-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the progress of jobs', () => {
  it('is told by its newest line, and the last line once more at the end', async () => {
    const uplink = new TestUplink();
    const shipper = new ProgressShipper(uplink, clock, logger);
    const path = join(folder, 'progress');
    shipper.follow('one', ref, path);
    await writeFile(path, '0.1 a\n0.2 b\n0.3 unfini');
    await eventually('it is told', () => uplink.progress.length === 1);
    expect(uplink.progress[0]).toEqual({ ...ref, fraction: 0.2, message: 'b' });
    await appendFile(path, 'shed');
    await shipper.finish('one');
    expect(uplink.progress.at(-1)).toEqual({ ...ref, fraction: 0.3, message: 'unfinished' });
  });

  it('ends with its last line, however short the job was and whatever befalls the first try', async () => {
    const uplink = new TestUplink();
    uplink.isUp = false;
    const shipper = new ProgressShipper(uplink, clock, logger);
    const path = join(folder, 'progress');
    await writeFile(path, '1 done\n');
    shipper.follow('one', ref, path);
    const finished = shipper.finish('one');
    await eventually('it was read', async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return true;
    });
    await rm(path);
    uplink.isUp = true;
    await finished;
    expect(uplink.progress).toEqual([{ ...ref, fraction: 1, message: 'done' }]);
  });

  it('waits with its last line for a connection that is away, and not for ever', async () => {
    const uplink = new TestUplink();
    uplink.isUp = false;
    let nowMs = 0;
    let isBackAtMs = 25_000;
    const moving: Clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      sleep: async (durationMs) => {
        nowMs += durationMs;
        uplink.isUp = nowMs >= isBackAtMs;
        return Promise.resolve();
      },
    };
    const shipper = new ProgressShipper(uplink, moving, logger);
    const path = join(folder, 'progress');
    await writeFile(path, '1 done\n');
    shipper.follow('one', ref, path);
    await shipper.finish('one');
    expect(uplink.progress).toEqual([{ ...ref, fraction: 1, message: 'done' }]);
    uplink.isUp = false;
    isBackAtMs = Number.POSITIVE_INFINITY;
    shipper.follow('two', ref, path);
    await shipper.finish('two');
    expect(uplink.progress).toHaveLength(1);
    expect(nowMs).toBeLessThanOrEqual(60_000);
  });

  it('waits with its last line while other jobs use up the budget', async () => {
    const uplink = new TestUplink();
    const shipper = new ProgressShipper(uplink, clock, logger);
    while (shipper.mayTell());
    const path = join(folder, 'progress');
    await writeFile(path, '1 done\n');
    shipper.follow('one', ref, path);
    await shipper.finish('one');
    expect(uplink.progress).toEqual([{ ...ref, fraction: 1, message: 'done' }]);
  });

  it('is told at most 25 times a second for all jobs together', () => {
    const budget = new ProgressBudget();
    const told = Array.from({ length: 400 }, (_, index) => budget.take(index * 5)).filter(Boolean).length;
    expect(told).toBe(50);
  });
});

describe('the metrics of jobs', () => {
  it('are stored once each, also when answers are lost', async () => {
    const uplink = new TestUplink();
    uplink.failures = 1;
    const shipper = new MetricShipper({ uplink, clock, logger });
    const path = join(folder, 'metrics');
    await writeFile(path, '{"loss":1}\n{"loss":2}\n{"loss"');
    shipper.follow('one', ref, path);
    await eventually('the whole lines are stored', () => uplink.points.length === 2);
    await appendFile(path, ':3}');
    await shipper.finish('one');
    expect(uplink.points).toEqual([{ loss: 1 }, { loss: 2 }, { loss: 3 }]);
    expect(uplink.batches.length).toBe(3);
  });

  it('go on where the control plane stands after a restart', async () => {
    const uplink = new TestUplink();
    uplink.storedLength = 11;
    const shipper = new MetricShipper({ uplink, clock, logger });
    const path = join(folder, 'metrics');
    await writeFile(path, '{"loss":1}\n{"loss":2}\n');
    shipper.follow('one', ref, path);
    await shipper.finish('one');
    expect(uplink.points).toEqual([{ loss: 2 }]);
  });

  it('that the control plane cannot read cost one batch, and later ones are stored', async () => {
    const uplink = new TestUplink();
    uplink.refusal = Object.assign(new Error('no'), { code: 'invalidMessage' });
    const shipper = new MetricShipper({ uplink, clock, logger });
    const path = join(folder, 'metrics');
    await writeFile(path, '{"loss":1}\n');
    shipper.follow('one', ref, path);
    await eventually('it is passed over', () => uplink.storedLength === 11);
    uplink.refusal = null;
    await appendFile(path, '{"loss":2}\n');
    await shipper.finish('one');
    expect(uplink.points).toEqual([{ loss: 2 }]);
    expect(uplink.batches.map(({ points }) => points.length)).toEqual([1, 0, 1]);
  });

  it('are given up where even nothing of them is taken, so that the attempt can be forgotten', async () => {
    const uplink = new TestUplink();
    uplink.refusal = Object.assign(new Error('no'), { code: 'invalidMessage' });
    uplink.isStubborn = true;
    const shipper = new MetricShipper({ uplink, clock, logger });
    await writeFile(join(folder, 'metrics'), '{"loss":1}\n');
    shipper.follow('one', ref, join(folder, 'metrics'));
    await shipper.finish('one');
    expect(uplink.batches).toHaveLength(2);
  });

  it('of a job that wrote none cost nothing', async () => {
    const uplink = new TestUplink();
    const shipper = new MetricShipper({ uplink, clock, logger });
    shipper.follow('one', ref, join(folder, 'metrics'));
    await shipper.finish('one');
    await shipper.stop();
    expect(uplink.batches).toEqual([]);
  });
});
