import type { JobSpec } from '@muster/protocol';
import type { ContainedTree } from '../containment/containment.js';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { limitHit, type LimitHit } from './limit-watch.js';
import { OutputWatch } from './output-watch.js';
import type { RunClock } from './run-clock.js';
import { UsageMeter } from './usage.js';

export interface RunWatchOptions {
  readonly directory: AttemptDirectory;
  readonly spec: JobSpec;
  readonly tree: ContainedTree;
  readonly clock: RunClock;
  /** Limits that the kernel enforces, so that nobody has to look. */
  readonly hardLimits: ReadonlySet<'memory' | 'cpu'>;
}

/** Looks at what a running tree uses and prints, and whether one of the limits that are ours is reached. */
export class RunWatch {
  readonly meter = new UsageMeter();
  private readonly output: OutputWatch;

  constructor(private readonly options: RunWatchOptions) {
    this.output = new OutputWatch(options.directory, options.spec.logs.separate);
  }

  /** Silence counts from now: nobody watched, or it stood still. */
  beginSilence(): void {
    this.output.grewAt(this.options.clock.ranMs());
  }

  /** The cheap look is at time and at memory that is limited by us; the full one at everything. */
  async look(isFullLook: boolean): Promise<LimitHit | null> {
    const { spec, tree, clock, hardLimits } = this.options;
    const { limits } = spec;
    const isMemoryOurs = limits.memoryMb !== undefined && !hardLimits.has('memory');
    const sample = isFullLook || isMemoryOurs ? tree.usage() : null;
    if (sample) this.meter.add(sample);
    const ranMs = clock.ranMs();
    if (isFullLook && limits.silenceSeconds !== undefined) await this.output.look(ranMs);
    const memoryBytes = isMemoryOurs ? (sample?.memoryBytes ?? null) : null;
    return limitHit(limits, { ranMs, silentMs: this.output.silentMs(ranMs), memoryBytes });
  }
}
