import { Inject, Injectable } from '@nestjs/common';
import { beatIntervalMs } from '@muster/protocol';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';

/** How large the fleet is, as the last look said: how many workers are connected, and whether other replicas run. */
@Injectable()
export class Fleet {
  private connectedCount = 0;
  private otherReplicas = 0;

  constructor(@Inject(CONFIG) private readonly config: ControlPlaneConfig) {}

  /** The interval told to every agent: it grows with the fleet, so that beats never become the load. */
  beatIntervalMs(): number {
    return beatIntervalMs(this.config.workerTimeoutMs, this.connectedCount);
  }

  get hasOtherReplicas(): boolean {
    return this.otherReplicas > 0;
  }

  observe(seen: { readonly connectedCount: number; readonly otherReplicas: number }): void {
    this.connectedCount = seen.connectedCount;
    this.otherReplicas = seen.otherReplicas;
  }
}
