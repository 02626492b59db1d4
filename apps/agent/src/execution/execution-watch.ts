import { Loop, type Clock } from '@muster/runtime';
import type { Execution } from './execution.js';
import type { ExecutionId, ExecutionLogger } from './execution-types.js';
import type { Quarantine } from './quarantine.js';

const WATCH_INTERVAL_MS = 250;
/** Every so many watches usage and silence are looked at too. */
const FULL_LOOK_EVERY = 4;
const QUARANTINE_LOOK_EVERY = 40;

export interface ExecutionWatchOptions {
  readonly executions: ReadonlyMap<ExecutionId, Execution>;
  /** Started by an earlier agent: nobody reports their end, so their files are watched. */
  readonly adopted: ReadonlySet<ExecutionId>;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly logger: ExecutionLogger;
}

/** Looks a few times a second at what nobody tells of: limits that are ours, ends of adopted jobs, slots set free at last. */
export class ExecutionWatch {
  private readonly loop: Loop;
  private looks = 0;

  constructor(private readonly options: ExecutionWatchOptions) {
    const { clock, logger } = options;
    this.loop = new Loop({
      name: 'executionWatch',
      intervalMs: WATCH_INTERVAL_MS,
      jitter: 0,
      clock,
      run: () => this.look(),
      onError: (error) => logger.warn({ error }, 'watching executions failed'),
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async look(): Promise<void> {
    const { executions, adopted, quarantine } = this.options;
    this.looks += 1;
    const isFullLook = this.looks % FULL_LOOK_EVERY === 0;
    for (const executionId of [...adopted]) await executions.get(executionId)?.lookAtFiles();
    for (const execution of [...executions.values()]) await execution.watch(isFullLook);
    if (this.looks % QUARANTINE_LOOK_EVERY === 0) await quarantine.look();
  }
}
