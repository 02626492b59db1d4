import type { Usage } from '@muster/protocol';
import type { TreeUsage } from '../containment/containment.js';

/** Adds up looks at a tree. Processor time only grows; a look at a half-dead tree never takes anything back. */
export class UsageMeter {
  private cpuSeconds: number | null = null;
  private memoryBytesPeak: number | null = null;

  add(sample: TreeUsage): void {
    this.cpuSeconds = larger(this.cpuSeconds, sample.cpuSeconds);
    this.memoryBytesPeak = larger(this.memoryBytesPeak, sample.memoryBytes);
  }

  total(wallSeconds: number | null): Usage {
    return { cpuSeconds: this.cpuSeconds, memoryBytesPeak: this.memoryBytesPeak, wallSeconds };
  }
}

function larger(known: number | null, fresh: number | null): number | null {
  if (known === null || fresh === null) return known ?? fresh;
  return Math.max(known, fresh);
}
