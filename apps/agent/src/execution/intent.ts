import { basename } from 'node:path';
import type { AttemptRef, ContainmentRung, JobId, JobSpec } from '@muster/protocol';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { ExecutionId, ExecutionOffer } from './execution-types.js';
import { readSmallJson, replaceJson } from './small-json.js';

/** What an execution is for; on disk before the start is asked for, and everything a later agent needs to go on. */
export interface Intent {
  readonly version: 1;
  /** Whose it is: the name of its directory. An agent from before this was noted left none; read, it is there. */
  readonly executionId: ExecutionId;
  /** The attempt it serves now. */
  readonly ref: AttemptRef;
  readonly jobId: JobId;
  readonly number: number;
  readonly spec: JobSpec;
  readonly gpus: readonly number[];
  readonly rung: ContainmentRung;
  readonly cgroupPath: string | null;
}

export function toIntent(
  directory: AttemptDirectory,
  offer: ExecutionOffer,
  rung: ContainmentRung,
  cgroupPath: string | null,
): Intent {
  const { attemptId, epoch, jobId, number, spec, gpus } = offer;
  return { version: 1, executionId: idOf(directory), ref: { attemptId, epoch }, jobId, number, spec, gpus, rung, cgroupPath };
}

/** Whole or not at all: from here on somebody relies on it. */
export async function rewriteIntent(directory: AttemptDirectory, intent: Intent): Promise<void> {
  await replaceJson(directory.file('intent'), intent);
}

/**
 * Null when there is none that was written whole, and for that of another execution: it is written over the one that was
 * in this place before, which a power cut may bring back.
 */
export function readIntent(directory: AttemptDirectory): Intent | null {
  const intent = readSmallJson<Partial<Intent>>(directory.file('intent'));
  if (intent?.version !== 1 || !intent.ref || !intent.spec || !intent.jobId || !intent.rung) return null;
  const executionId = idOf(directory);
  if ((intent.executionId ?? executionId) !== executionId) return null;
  return { cgroupPath: null, gpus: [], number: 1, executionId, ...intent } as Intent;
}

const idOf = (directory: AttemptDirectory): ExecutionId => basename(directory.path) as ExecutionId;
