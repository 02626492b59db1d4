import type { NewEvent } from '@muster/domain';
import type { WorkerFault, WorkerId } from '@muster/protocol';

export interface LookedAtRow {
  readonly id: WorkerId;
  readonly name: string;
  /** As its last sample told. */
  readonly faults: readonly WorkerFault[];
}

/** Which faults of a machine came and which went between two samples. One that only tells other figures is the same. */
export function faultEvents({ id, name, faults: before }: LookedAtRow, now: readonly WorkerFault[]): NewEvent[] {
  return [
    ...without(now, before).map((fault) => toEvent('worker.faultAppeared', fault)),
    ...without(before, now).map((fault) => toEvent('worker.faultCleared', fault)),
  ];

  function toEvent(type: NewEvent['type'], { code, detail }: WorkerFault): NewEvent {
    return { type, actor: `worker ${name}`, jobId: null, attemptId: null, workerId: id, data: { code, detail } };
  }
}

function without(faults: readonly WorkerFault[], others: readonly WorkerFault[]): WorkerFault[] {
  const byCode = new Map(faults.map((fault) => [fault.code, fault]));
  for (const { code } of others) byCode.delete(code);
  return [...byCode.values()];
}
