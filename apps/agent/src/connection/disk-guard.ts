import type { InventoryReader } from '../inventory/inventory-reader.js';
import type { RuntimeLogger } from './runtime-logger.js';

const LOOK_MS = 5_000;

/** Watches the disk that holds the state directory: below the floor the agent takes no new jobs, and those it has go on. */
export class DiskGuard {
  private timer: NodeJS.Timeout | null = null;
  private isDiskFull = false;

  constructor(
    private readonly inventory: InventoryReader,
    private readonly logger: RuntimeLogger,
  ) {}

  get isFull(): boolean {
    return this.isDiskFull;
  }

  /** The first look is done when it resolves; `onChange` is told of every change from then on. */
  async start(onChange: (isFull: boolean) => void): Promise<void> {
    const look = async (): Promise<void> => {
      const isFull = await this.inventory.isDiskFull();
      if (isFull === this.isDiskFull) return;
      this.isDiskFull = isFull;
      this.logger.warn({}, isFull ? 'disk almost full: no new jobs' : 'disk has room again');
      onChange(isFull);
    };
    await look();
    this.timer = setInterval(() => void look(), LOOK_MS);
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }
}
