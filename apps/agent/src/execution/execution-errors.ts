import type { ExecutionId, ExecutionPhase } from './execution-types.js';

/** The id names nothing this agent holds: it was discarded, or never existed. */
export class UnknownExecution extends Error {
  readonly code = 'unknownExecution';
  constructor(readonly executionId: ExecutionId) {
    super(`No execution ${executionId} is held here.`);
    this.name = 'UnknownExecution';
  }
}

/** Every slot holds an execution or is quarantined; ask again after a `slots` event. */
export class NoFreeSlot extends Error {
  readonly code = 'noFreeSlot';
  constructor(readonly slots: number) {
    super(`All ${slots} slots are taken.`);
    this.name = 'NoFreeSlot';
  }
}

/** What was asked does not fit the phase the execution is in. Asking again unchanged will not help. */
export class WrongPhase extends Error {
  readonly code = 'wrongPhase';
  constructor(
    readonly executionId: ExecutionId,
    readonly phase: ExecutionPhase,
    asked: string,
  ) {
    super(`Execution ${executionId} is ${phase} and cannot be asked to ${asked}.`);
    this.name = 'WrongPhase';
  }
}
