/** Lets one loop wait for whichever of many reasons comes first. A ring while nobody waits is remembered, once. */
export class Bell {
  private isRung = false;
  private answer: (() => void) | undefined;

  ring(): void {
    this.isRung = true;
    this.answer?.();
  }

  /** Resolves at the next ring, or after `timeoutMs`. Rings since the last wait count. For one waiter at a time. */
  wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.isRung = false;
        this.answer = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.answer = done;
      if (this.isRung) done();
    });
  }
}
