import type { CreatedKeyView, KeyView, Page, Role } from '@muster/protocol';
import type { CallOptions, Http } from './http.js';

export interface KeyRequest {
  readonly name: string;
  readonly role: Role;
  /** Whose key it is; the caller's owner unless given. */
  readonly owner?: string;
  /** RFC 3339; never expires unless given. */
  readonly expiresAt?: string;
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

  /** Ends a key; its sockets are closed within 2 s. Revoking a revoked key changes nothing. */
  async revoke(keyId: string, options: CallOptions = {}): Promise<KeyView> {
    return this.http.json('DELETE', `/keys/${encodeURIComponent(keyId)}`, { ...options, isRepeatable: true });
  }
}
