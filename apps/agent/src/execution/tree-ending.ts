import type { ContainedTree } from '../containment/containment.js';
import { startLadder, stepLadder, type LadderEvent, type LadderState } from './stop-ladder.js';

export interface TreeEndingOptions {
  readonly tree: ContainedTree;
  /** An earlier agent started it. */
  readonly isInherited: boolean;
  readonly monotonicMs: () => number;
  readonly stopSignal: NodeJS.Signals;
  readonly isFrozen: () => boolean;
  /** Told once: the tree is empty and its end on disk, or it could not be killed. */
  readonly settled: (how: 'empty' | 'unkillable') => void;
  readonly failed: (error: unknown) => void;
}

/** Walks the stop ladder for one tree: sends the signals, looks, and sets the one timer the reducer asked for. */
export class TreeEnding {
  private state: LadderState;
  private timer: NodeJS.Timeout | undefined;
  private isSettled = false;
  /** Processes that outlived the main one, from the first look after its end. */
  leftovers = 0;

  constructor(private readonly options: TreeEndingOptions) {
    this.state = startLadder(options.tree.isProof, options.isInherited);
  }

  get hasBegun(): boolean {
    return this.state.step !== 'running';
  }

  dispatch(event: LadderEvent): void {
    if (this.isSettled) return;
    const now = this.options.monotonicMs();
    const before = this.state;
    const move = stepLadder(before, event, now);
    this.state = move.state;
    if (move.tickAtMs !== null || move.state !== before || event.kind === 'tick') clearTimeout(this.timer);
    if (move.tickAtMs !== null) {
      this.timer = setTimeout(() => this.dispatch({ kind: 'tick' }), Math.max(0, move.tickAtMs - now));
    }
    if (move.state.step === 'empty' || move.state.step === 'unkillable') return this.settle(move.state.step);
    for (const effect of move.effects) this.perform(effect);
  }

  /** Lets go without touching the tree. */
  release(): void {
    this.isSettled = true;
    clearTimeout(this.timer);
  }

  private perform(effect: 'signal' | 'kill' | 'look'): void {
    const { tree, failed } = this.options;
    if (effect === 'signal') {
      const isHeard = tree.signal(this.options.stopSignal);
      // A stopped process keeps the signal pending until it is continued; one that is not known yet never would be.
      if (this.options.isFrozen()) tree.thaw().catch(failed);
      if (isHeard) this.dispatch({ kind: 'heard' });
    } else if (effect === 'kill') {
      tree.killAll().catch(failed);
    } else {
      this.look().catch((error: unknown) => {
        failed(error);
        this.dispatch({ kind: 'looked', isEmpty: false });
      });
    }
  }

  private async look(): Promise<void> {
    const found = await this.options.tree.look();
    if (this.state.step === 'checking') this.leftovers = Math.max(this.leftovers, found.processes);
    this.dispatch({ kind: 'looked', isEmpty: found.isEmpty });
  }

  private settle(how: 'empty' | 'unkillable'): void {
    this.isSettled = true;
    clearTimeout(this.timer);
    this.options.settled(how);
  }
}
