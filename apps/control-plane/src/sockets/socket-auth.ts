import { Inject, Injectable } from '@nestjs/common';
import { DISCONNECTS, PROTOCOL_VERSION, PROTOCOL_VERSION_TEXT, type DisconnectReason } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import type { Socket } from 'socket.io';
import { LOGGER } from '../core.module.js';
import { isUnavailable } from '../database/database-errors.js';
import { FailedAuthLimiter } from '../http/failed-auth-limiter.js';
import type { Caller } from '../keys/caller.js';
import { KeyVerifier } from '../keys/key-verifier.js';

/** What `connect_error` carries in `data`: why the socket was refused, and for people what was found. */
export interface HandshakeRefusal {
  readonly code: DisconnectReason | 'unavailable';
  readonly detail: string;
}

/** Time for the refusal to arrive before the transport is closed: the namespace alone would leave it open. */
const CLOSE_AFTER_MS = 200;
/** A text longer than any key is not one. */
const KEY_LENGTH_MAX = 200;

/** Decides in the handshake who a socket is; nothing else of the protocol is reached without. */
@Injectable()
export class SocketAuth {
  constructor(
    private readonly keys: KeyVerifier,
    private readonly limiter: FailedAuthLimiter,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** The caller of an accepted socket, or why it is refused. Never rejects. */
  async admit(auth: unknown, address: string | undefined): Promise<{ readonly caller: Caller } | { readonly refusal: HandshakeRefusal }> {
    const { key, protocolVersion } = isRecord(auth) ? auth : {};
    const version = versionRefusal(protocolVersion);
    if (version) return { refusal: version };
    if (typeof key !== 'string' || key === '' || key.length > KEY_LENGTH_MAX) {
      return { refusal: this.keyRefusal(address, 'Send the worker key in auth.key.') };
    }
    try {
      const verdict = await this.keys.verify(key);
      if ('refused' in verdict) return { refusal: this.keyRefusal(address, verdict.hint) };
      if (verdict.caller.role !== 'worker') {
        return { refusal: this.keyRefusal(address, `A key of the role worker is needed, this one is ${verdict.caller.role}.`) };
      }
      return { caller: verdict.caller };
    } catch (error) {
      if (!isUnavailable(error)) this.log.error({ err: error }, 'key not verified');
      return { refusal: { code: 'unavailable', detail: 'The key cannot be checked now.' } };
    }
  }

  /** Over the limit nobody is told more than that, and it is not logged: guessing costs us as little as can be. */
  private keyRefusal(address: string | undefined, detail: string): HandshakeRefusal {
    const waitSeconds = this.limiter.note(address);
    if (waitSeconds === undefined) return { code: 'unauthenticated', detail };
    return { code: 'flood', detail: `Too many keys from this address were refused within a minute; wait ${waitSeconds} s.` };
  }

  /** Ends the transport of a refused socket. */
  closeSoon(socket: Socket): void {
    setTimeout(() => socket.conn.close(), CLOSE_AFTER_MS).unref();
  }
}

/** Unset when this server speaks the version. Minor versions only add. */
export function versionRefusal(version: unknown): HandshakeRefusal | undefined {
  const major = typeof version === 'string' ? Number(/^(\d{1,4})\.\d{1,4}$/.exec(version)?.[1]) : NaN;
  if (major === PROTOCOL_VERSION.major) return undefined;
  const said = typeof version === 'string' ? JSON.stringify(version.slice(0, 20)) : 'none';
  const detail = `This control plane speaks ${PROTOCOL_VERSION_TEXT}, the agent said ${said}.`;
  return { code: 'protocolVersion', detail: `${DISCONNECTS.protocolVersion.sentence} ${detail}` };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
