/** What a command came to, in a few words: the list of everything that must occur in a replay. */
import type { ServerCommand, ServerDecision } from '@muster/domain';

/** Each command with every answer it may get and, where the answer says little, what it did. A new one must be added here. */
export const KINDS = {
  hello: [
    'synced', 'senderRefused superseded', 'senderRefused notSynced', 'senderRefused removed', 'verdict keep', 'verdict stop superseded', 'verdict stop unknown',
    'verdict reclaimed', 'verdict unleased', 'verdict reportEnd',
  ],
  beat: [
    'beat', 'senderRefused superseded', 'senderRefused notSynced', 'senderRefused removed', 'verdict keep', 'verdict stop superseded', 'verdict stop unknown',
    'verdict reclaimed', 'verdict unleased', 'verdict reportEnd', 'command stop', 'command forceStop', 'command freeze', 'command thaw',
    'GPUs held',
  ],
  start: ['go', 'no superseded', 'no cancelled', 'no expired', 'senderRefused superseded', 'senderRefused notSynced', 'senderRefused removed'],
  refuse: ['done', 'done, nothing changed', 'senderRefused superseded', 'senderRefused notSynced', 'senderRefused removed'],
  end: ['accepted', 'repeated', 'superseded', 'senderRefused superseded', 'senderRefused notSynced', 'senderRefused removed'],
  cancel: ['done', 'done, nothing changed', 'illegal', 'notFound'],
  pause: ['done', 'done, nothing changed', 'illegal', 'notFound'],
  resume: ['done', 'done, nothing changed', 'illegal', 'notFound'],
  requeue: ['done', 'illegal', 'notFound'],
  abandon: ['done', 'illegal', 'notFound'],
  cordon: ['done', 'done, nothing changed', 'illegalOrder', 'notFound'],
  drain: ['done', 'illegalOrder', 'notFound'],
  undrain: ['done', 'done, nothing changed', 'illegalOrder', 'notFound'],
  setSlots: ['done', 'done, nothing changed', 'illegalOrder', 'notFound'],
  removeWorker: ['done', 'done, nothing changed', 'illegalOrder', 'notFound'],
  sweepDrain: ['done', 'done, nothing changed'],
  sweepAttempt: ['done', 'done, nothing changed'],
  sweepQueued: ['done', 'done, nothing changed'],
  workerLink: ['done', 'done, nothing changed'],
} as const satisfies Record<ServerCommand['type'], readonly string[]>;

export const ALL_KINDS: readonly string[] = Object.entries(KINDS).flatMap(([type, kinds]) => kinds.map((kind) => `${type}: ${kind}`));

export function kindsOf(command: ServerCommand, decision: ServerDecision): string[] {
  const { reply } = decision;
  const changes = decision.jobs.length + decision.attempts.length + decision.workers.length;
  const reason = 'reason' in reply ? ` ${reply.reason}` : '';
  const idle = reply.kind === 'done' && changes === 0 ? ', nothing changed' : '';
  const kinds = [`${reply.kind}${reason}${idle}`];
  if ('verdicts' in reply) {
    for (const verdict of reply.verdicts) {
      kinds.push(`verdict ${verdict.kind}${'reason' in verdict ? ` ${verdict.reason}` : ''}`);
      if (command.type === 'beat' && verdict.kind === 'keep' && verdict.command !== null) kinds.push(`command ${verdict.command.kind}`);
    }
  }
  if (command.type === 'beat' && decision.workers.some((worker) => worker.gpusHeld.length > 0)) kinds.push('GPUs held');
  return kinds.map((kind) => `${command.type}: ${kind}`);
}
