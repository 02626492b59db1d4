/** What a database of the simulator says about itself while a schedule runs. */
import type { ClaimInput, JobFacts, ServerCommand, ServerContext, ServerDecision, Slice, WorkerFacts } from '@muster/domain';
import type { AttemptRef, LogAck, WorkerId } from '@muster/protocol';

export type RecordedStep =
  /** A job was submitted; its row as inserted. */
  | { readonly kind: 'insertJob'; readonly job: JobFacts }
  /** One command in a transaction of its own: the rows it saw, the facts that are no rows, and what was stored and answered. */
  | { readonly kind: 'command'; readonly command: ServerCommand; readonly slice: Slice; readonly context: ServerContext; readonly decision: ServerDecision }
  | { readonly kind: 'claim'; readonly input: ClaimInput; readonly slice: Slice; readonly context: ServerContext; readonly decision: ServerDecision }
  /** Bytes of a log arrived at this offset. */
  | {
      readonly kind: 'log';
      readonly workerId: WorkerId;
      readonly ref: AttemptRef;
      readonly chunk: { readonly offset: number; readonly rawLength: number };
      readonly ack: LogAck;
    };

/** Listens to a database while a schedule runs. */
export interface Recorder {
  worker(row: WorkerFacts): void;
  step(step: RecordedStep): void;
}
