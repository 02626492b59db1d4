import type { Refusal } from '@muster/protocol';
import type { InventoryReader } from '../inventory/inventory-reader.js';
import type { RuntimeLogger } from './runtime-logger.js';

const LOOK_MS = 5_000;

/**
 * Watches what every job here needs: room on the disk that holds the state directory, and a supervisor that lives. Without
 * them the agent takes no new jobs, and those it has go on.
 */
export class DiskGuard {
  private timer: NodeJS.Timeout | null = null;
  private objection: Refusal | null = null;

  constructor(
    private readonly inventory: Pick<InventoryReader, 'objection'>,
    private readonly logger: RuntimeLogger,
    private readonly lookMs = LOOK_MS,
  ) {}

  get isFull(): boolean {
    return this.objection === 'diskFloor';
  }

  /** The first look is done when it resolves; `onChange` is told of every change from then on. */
  async start(onChange: (objection: Refusal | null) => void): Promise<void> {
    const look = async (): Promise<void> => {
      const objection = await this.inventory.objection();
      if (objection === this.objection) return;
      this.objection = objection;
      this.logger.warn(
        { objection },
        objection === null ? 'jobs are taken again' : 'no new jobs: the machine cannot take them',
      );
      onChange(objection);
    };
    await look();
    this.timer = setInterval(() => void look(), this.lookMs);
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }
}
