/** What an agent asks of a replica, and what it is answered. */
import type { BeatFacts } from '@muster/domain';
import type { AttemptEnd, AttemptRef, BeatAck, EndAck, ExecutionReport, HelloAck, LogAck, Refuse, StartAck } from '@muster/protocol';

export type Request =
  | { readonly kind: 'hello'; readonly body: { instanceId: string; session: number; slots: number; executions: readonly ExecutionReport[]; gpusHeld: readonly number[] } }
  | { readonly kind: 'beat'; readonly body: BeatFacts }
  | { readonly kind: 'start'; readonly body: AttemptRef }
  | { readonly kind: 'refuse'; readonly body: Refuse }
  | { readonly kind: 'end'; readonly body: AttemptEnd }
  | { readonly kind: 'log'; readonly body: AttemptRef & { offset: number; rawLength: number } };

export interface Answers {
  hello: HelloAck;
  beat: BeatAck;
  start: StartAck;
  refuse: Record<string, never>;
  end: EndAck;
  log: LogAck;
}
