import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newInstanceId } from '@muster/domain';
import { isId } from '@muster/protocol';
import type { WorkerId } from '@muster/protocol';
import { writeDurably } from './state-directory.js';

const FILE_NAME = 'identity.json';

interface Kept {
  /** Stable for this state directory. */
  readonly machineId: string;
  /** Null until the first contact; then the worker this agent is, across restarts. */
  readonly workerId: WorkerId | null;
  /** Starts of an agent on this directory, the present one included. */
  readonly startCount: number;
}

/**
 * Who this agent is: the machine and the worker, which outlive it, and this start of it, which tells a reconnect from a
 * second agent.
 */
export class Identity {
  /** Made anew at each start; sorts by start. */
  readonly instanceId: string;

  private constructor(
    private readonly path: string,
    private kept: Kept,
  ) {
    this.instanceId = newInstanceId(kept.startCount, randomUUID());
  }

  /** Reads the identity, or makes one; the count of this start is on disk when it resolves. */
  static async open(directory: string): Promise<Identity> {
    const path = join(directory, FILE_NAME);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    const before = text === null ? null : parse(text);
    const kept: Kept = {
      machineId: before?.machineId ?? randomUUID(),
      workerId: before?.workerId ?? null,
      startCount: (before?.startCount ?? 0) + 1,
    };
    await writeDurably(path, `${JSON.stringify(kept)}\n`);
    return new Identity(path, kept);
  }

  get machineId(): string {
    return this.kept.machineId;
  }

  get workerId(): WorkerId | null {
    return this.kept.workerId;
  }

  /** The control plane said which worker this is. On disk when it resolves. */
  async keepWorkerId(workerId: string): Promise<void> {
    if (workerId === this.kept.workerId || !isId('wkr', workerId)) return;
    this.kept = { ...this.kept, workerId };
    await writeDurably(this.path, `${JSON.stringify(this.kept)}\n`);
  }
}

/** Null for what no agent wrote: a new identity is better than an agent that never starts again. */
function parse(text: string): Kept | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('machineId' in value) || typeof value.machineId !== 'string')
      return null;
    const workerId = 'workerId' in value && isId('wkr', value.workerId) ? value.workerId : null;
    const startCount = 'startCount' in value && Number.isSafeInteger(value.startCount) ? Number(value.startCount) : 0;
    return { machineId: value.machineId, workerId, startCount };
  } catch {
    return null;
  }
}
