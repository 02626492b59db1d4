import type { AgentToServerEvents } from '@muster/protocol';

/**
 * What each event of the namespace `/agent` needs, beside the worker key without which no socket is let in at all:
 * `socket` nothing more, `session` that a hello of this very socket was answered.
 */
export const EVENT_ACCESS: Readonly<Record<keyof AgentToServerEvents, 'socket' | 'session'>> = {
  'worker:hello': 'socket',
  'worker:beat': 'session',
  'attempt:start': 'session',
  'attempt:refuse': 'session',
  'attempt:end': 'session',
  'attempt:progress': 'session',
  'log:append': 'session',
  'metrics:append': 'session',
};
