/** Whether a worker can run a job, and what it has left. Dispatch and explain ask the same functions. */
import type { Capability, ContainmentRung, GpuInfo, JobNeeds, JobSpec, RunSpec } from '@muster/protocol';
import { parseLabelExpression, satisfiesLabel } from './label-expression.js';

/** What matching reads of a worker: a part of its inventory. */
export interface WorkerProfile {
  readonly name: string;
  readonly capability: Capability;
  readonly contentTypes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly cpuCores: number;
  readonly memoryMb: number;
  readonly gpus: readonly Pick<GpuInfo, 'index' | 'model'>[];
  readonly containment: readonly ContainmentRung[];
  readonly runKinds: readonly string[];
}

/** One need that a worker does not meet. */
export interface Mismatch {
  readonly need: 'capability' | 'contentType' | 'label' | 'cpus' | 'memoryMb' | 'gpus' | 'gpuModel' | 'containment' | 'runKind';
  /** `needs 2 GPUs, has 1` */
  readonly detail: string;
}

export type MatchResult = { readonly ok: true } | { readonly ok: false; readonly reasons: readonly Mismatch[] };

/** What a lane is keyed by: jobs of one owner that are equal in this are equal to matching. */
export interface Requirements {
  readonly needs: JobNeeds;
  /** `command`, `shell`, `function:node`, `external:http`, … */
  readonly runKind: string;
}

export function requirementsOf(spec: Pick<JobSpec, 'needs' | 'run'>): Requirements {
  return { needs: spec.needs, runKind: runKindOf(spec.run) };
}

export function runKindOf(run: RunSpec): string {
  if (run.function !== undefined) return `function:${run.function.runtime}`;
  if (run.external !== undefined) return `external:${run.external.kind}`;
  return run.shell !== undefined ? 'shell' : 'command';
}

/** Whether the whole worker, were it empty, could run such a job; with everything that speaks against it. */
export function matches(requirements: Requirements, worker: WorkerProfile): MatchResult {
  const { needs, runKind } = requirements;
  const reasons: Mismatch[] = [...mismatchedKind(needs, runKind, worker), ...mismatchedLabels(needs, worker), ...mismatchedSize(needs, worker)];
  return reasons.length === 0 ? { ok: true } : { ok: false, reasons };
}

function mismatchedKind(needs: JobNeeds, runKind: string, worker: WorkerProfile): Mismatch[] {
  const reasons: Mismatch[] = [];
  const { capability, contentType, containment } = needs;
  if (!worker.runKinds.includes(runKind)) {
    reasons.push({ need: 'runKind', detail: `runs ${worker.runKinds.join(', ') || 'nothing'}, not ${runKind}` });
  }
  if (capability !== undefined && capability !== worker.capability && worker.capability !== 'hybrid') {
    reasons.push({ need: 'capability', detail: `needs ${capability}, is ${worker.capability}` });
  }
  if (contentType !== undefined && !worker.contentTypes.includes(contentType)) {
    reasons.push({ need: 'contentType', detail: `needs content type ${contentType}, takes ${worker.contentTypes.join(', ') || 'none'}` });
  }
  if (containment !== undefined && !worker.containment.includes(containment)) {
    reasons.push({ need: 'containment', detail: `needs containment ${containment}, has ${worker.containment.join(', ') || 'none'}` });
  }
  return reasons;
}

function mismatchedLabels(needs: JobNeeds, worker: WorkerProfile): Mismatch[] {
  const reasons: Mismatch[] = [];
  for (const [name, text] of Object.entries(needs.labels ?? {})) {
    const parsed = parseLabelExpression(text);
    const actual = Object.hasOwn(worker.labels, name) ? worker.labels[name] : undefined;
    if (parsed.ok && satisfiesLabel(parsed.expression, actual)) continue;
    reasons.push({ need: 'label', detail: `needs label ${name} ${text}, has ${actual === undefined ? 'no such label' : `"${actual}"`}` });
  }
  return reasons;
}

function mismatchedSize(needs: JobNeeds, worker: WorkerProfile): Mismatch[] {
  const reasons: Mismatch[] = [];
  const fitting = usableGpus(needs, worker);
  if ((needs.cpus ?? 0) > worker.cpuCores) reasons.push({ need: 'cpus', detail: `needs ${needs.cpus} cores, has ${worker.cpuCores}` });
  if ((needs.memoryMb ?? 0) > worker.memoryMb) reasons.push({ need: 'memoryMb', detail: `needs ${needs.memoryMb} MB of memory, has ${worker.memoryMb}` });
  if (gpusNeeded(needs) > worker.gpus.length) {
    reasons.push({ need: 'gpus', detail: `needs ${gpusNeeded(needs)} GPUs, has ${worker.gpus.length}` });
  } else if (gpusNeeded(needs) > fitting.length) {
    reasons.push({ need: 'gpuModel', detail: `needs ${gpusNeeded(needs)} GPUs of model ${needs.gpuModel}, has ${fitting.length}` });
  }
  return reasons;
}

/** GPUs a job takes for itself; a model without a number means one. */
export function gpusNeeded(needs: JobNeeds): number {
  return needs.gpus ?? (needs.gpuModel === undefined ? 0 : 1);
}

/** What a worker has left for one more attempt, or the first thing it lacks. */
export interface Room {
  readonly slots: number;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly gpus: readonly number[];
}

/**
 * @param held needs and GPUs of its live attempts
 * @param gpusHeld those of its GPUs that are taken although no attempt has them
 */
export function roomOf(
  worker: WorkerProfile,
  slots: number,
  held: readonly { readonly needs: JobNeeds; readonly gpus: readonly number[] }[],
  gpusHeld: readonly number[],
): Room {
  const taken = new Set([...gpusHeld, ...held.flatMap((one) => one.gpus)]);
  return {
    slots: Math.max(0, slots - held.length),
    cpus: worker.cpuCores - held.reduce((sum, one) => sum + (one.needs.cpus ?? 0), 0),
    memoryMb: worker.memoryMb - held.reduce((sum, one) => sum + (one.needs.memoryMb ?? 0), 0),
    gpus: worker.gpus.map((gpu) => gpu.index).filter((index) => !taken.has(index)),
  };
}

/** The GPUs one more such attempt would get, or null when the room does not suffice. */
export function fit(needs: JobNeeds, worker: WorkerProfile, room: Room): readonly number[] | null {
  const hasRoom = room.slots > 0 && (needs.cpus ?? 0) <= Math.max(0, room.cpus) && (needs.memoryMb ?? 0) <= Math.max(0, room.memoryMb);
  if (!hasRoom) return null;
  const free = usableGpus(needs, worker).filter((index) => room.gpus.includes(index));
  const count = gpusNeeded(needs);
  return free.length < count ? null : free.slice(0, count);
}

function usableGpus(needs: JobNeeds, worker: WorkerProfile): number[] {
  const model = needs.gpuModel?.toLowerCase();
  return worker.gpus.filter((gpu) => model === undefined || gpu.model.toLowerCase().includes(model)).map((gpu) => gpu.index);
}
