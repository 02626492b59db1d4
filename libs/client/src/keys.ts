import type { CreatedEnrolmentTokenView, CreatedKeyView, EnrolmentTokenView, KeyView, Page, Role } from '@muster/protocol';
import type { CallOptions, Http } from './http.js';

/** When it ends: a moment, or a time from now by the control plane's clock; not both. */
export interface Expiry {
  /** RFC 3339. */
  readonly expiresAt?: string;
  readonly expiresInSeconds?: number;
}

export interface KeyRequest extends Expiry {
  readonly name: string;
  readonly role: Role;
  /** Whose key it is; the caller's owner unless given. */
  readonly owner?: string;
}

export interface EnrolmentTokenRequest extends Expiry {
  /** What it is for, and what the key made of it is called unless the machine says something else. */
  readonly name: string;
  /** Whose the machine's key, and with it the worker, will be; the caller's owner unless given. */
  readonly owner?: string;
}

/** `muster.keys`: who may do what. Needs an admin's key. */
export class Keys {
  constructor(private readonly http: Http) {}

  /** Makes a key. Its secret is in this answer and nowhere else, which is why this is never tried twice. */
  async create(request: KeyRequest, options: CallOptions = {}): Promise<CreatedKeyView> {
    return this.http.json('POST', '/keys', { body: request, signal: options.signal });
  }

  /** All keys, revoked ones too; secrets are not among what is shown. */
  async list(options: CallOptions = {}): Promise<readonly KeyView[]> {
    const { data } = await this.http.json<Pick<Page<KeyView>, 'data'>>('GET', '/keys', options);
    return data;
  }

  /**
   * Gives a key a new secret, which is in this answer and nowhere else. Those before go on working for the overlap, in
   * seconds: a day unless told, 0 ends them at once. Never tried twice.
   */
  async rotate(keyId: string, request: { readonly overlapSeconds?: number } = {}, options: CallOptions = {}): Promise<CreatedKeyView> {
    return this.http.json('POST', `/keys/${encodeURIComponent(keyId)}/rotate`, { body: request, signal: options.signal });
  }

  /** Ends a key; its sockets are closed within 2 s. Revoking a revoked key changes nothing. */
  async revoke(keyId: string, options: CallOptions = {}): Promise<KeyView> {
    return this.http.json('DELETE', `/keys/${encodeURIComponent(keyId)}`, { ...options, isRepeatable: true });
  }

  /** Makes a token that one machine may exchange for a worker key of its own, within a day unless told. Never tried twice. */
  async createEnrolmentToken(request: EnrolmentTokenRequest, options: CallOptions = {}): Promise<CreatedEnrolmentTokenView> {
    return this.http.json('POST', '/keys/enrolment-tokens', { body: request, signal: options.signal });
  }

  /** All tokens, used, expired and revoked ones too; tokens themselves are not among what is shown. */
  async listEnrolmentTokens(options: CallOptions = {}): Promise<readonly EnrolmentTokenView[]> {
    const { data } = await this.http.json<Pick<Page<EnrolmentTokenView>, 'data'>>('GET', '/keys/enrolment-tokens', options);
    return data;
  }

  /** Nobody can exchange it any more; a key that was made of it lives on. */
  async revokeEnrolmentToken(tokenId: string, options: CallOptions = {}): Promise<EnrolmentTokenView> {
    return this.http.json('DELETE', `/keys/enrolment-tokens/${encodeURIComponent(tokenId)}`, { ...options, isRepeatable: true });
  }
}
