import type { WaitingLane } from './claim-plan.js';

/** Like the poll of dispatch: whatever nobody told of is seen by then. */
const FRESH_MS = 1_500;

/**
 * Remembers who stood in line at the last look, until somebody else comes in line, a lane runs dry or time passes: as long as
 * it is known, a slot that becomes free can be filled without another look.
 */
export class LineBook {
  private lanes: readonly WaitingLane[] = [];
  private seenAtMs = 0;
  private forgotten = 0;

  /** Call it before a look; all lanes with jobs that it saw are told to the answer, and count unless they were forgotten since. */
  beginLook(): (lanes: readonly WaitingLane[], nowMs: number) => void {
    const forgottenBefore = this.forgotten;
    return (lanes, nowMs) => {
      if (this.forgotten !== forgottenBefore) return;
      this.lanes = lanes;
      this.seenAtMs = nowMs;
    };
  }

  /** Somebody may stand in line who was not seen, or nobody where somebody was. */
  forget(): void {
    this.lanes = [];
    this.forgotten += 1;
  }

  /** Empty when it is not known. */
  known(nowMs: number): readonly WaitingLane[] {
    return nowMs - this.seenAtMs < FRESH_MS ? this.lanes : [];
  }
}
