/**
 * The version of the agent protocol. Both ends send it in their first message.
 *
 * Compatibility rule: unknown fields are ignored, unknown event names are refused, and a different `major` closes the
 * socket with the reason `protocolVersion`. A new optional field raises `minor`.
 */
export const PROTOCOL_VERSION = { major: 1, minor: 2 } as const;

/** `1.0`: the way the version is written on the wire and in refusals. */
export const PROTOCOL_VERSION_TEXT = `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`;
