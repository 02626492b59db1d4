/** Why the control plane closes an agent's socket. Each has the sentence the agent logs and what the agent does. */
export const DISCONNECTS = {
  protocolVersion: { sentence: 'The agent speaks another protocol version.', agent: 'exit78' },
  unauthenticated: { sentence: 'The key was refused.', agent: 'exit78' },
  keyRevoked: { sentence: 'The key was revoked.', agent: 'exit78' },
  superseded: { sentence: 'A newer agent with this identity is connected.', agent: 'exit' },
  removed: { sentence: 'The worker was removed.', agent: 'stopJobsAndExit78' },
  invalidMessage: { sentence: 'A message did not have the agreed shape.', agent: 'reconnect' },
  unknownEvent: { sentence: 'An event name is not part of the protocol.', agent: 'reconnect' },
  flood: { sentence: 'Too many messages.', agent: 'reconnect' },
  shuttingDown: { sentence: 'This control plane is stopping.', agent: 'reconnect' },
} as const satisfies Record<string, { sentence: string; agent: 'exit' | 'exit78' | 'stopJobsAndExit78' | 'reconnect' }>;
export type DisconnectReason = keyof typeof DISCONNECTS;
