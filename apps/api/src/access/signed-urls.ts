import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Json } from '@perdure/job/json';
import { getUser } from '@perdure/store/admin';
import { DatabaseService } from '../database/database.service.ts';
import type { Identity } from '../http/caller.ts';
import { KeyRing } from './key-ring.ts';
import { Seals } from './seals.ts';

const purpose = 'signed URLs';

export type SignedMethod = 'GET' | 'PUT';
/** `about` is what the URL fixes besides: whoever has it can neither read nor change that. */
type Wanted = { method: SignedMethod; path: string; until: Date; about?: Json };
type Content = { tenantId: string; keyId: string | null; userId: string | null; until: number; about: Json };

/**
 * URLs that stand for the one who signed them: for one method and one path, for a time. They may what their signer may at the moment
 * they are used, and no longer than the key lives that they were made with.
 */
@Injectable()
export class SignedUrls {
  constructor(
    private readonly seals: Seals,
    private readonly keys: KeyRing,
    private readonly database: DatabaseService,
  ) {}

  sign({ tenantId, keyId, userId }: Identity, { method, path, until, about = null }: Wanted): string {
    const content: Content = { tenantId, keyId, userId, until: until.getTime(), about };
    return `${path}?signature=${this.seals.seal(purpose, `${method} ${path}`, content)}`;
  }

  /** Who signed it, and `about`. Throws 'signed-url-refused'. */
  async open(
    { method, url }: { method: string; url: string },
    signature: unknown,
  ): Promise<{ principal: Identity; about: Json }> {
    const path = url.split('?', 1)[0] ?? '';
    const scope = `${method === 'HEAD' ? 'GET' : method} ${path}`;
    const opened = typeof signature === 'string' ? this.seals.open(purpose, scope, signature) : undefined;
    if (opened === undefined) throw refused('The signature is not one of this API for this method and path');
    const content = opened as Content;
    if (content.until <= Date.now()) throw refused('The signed URL has expired: ask for another');
    return { principal: await this.signerOf(content), about: content.about };
  }

  private async signerOf({ tenantId, keyId, userId }: Content): Promise<Identity> {
    const signer =
      keyId === null
        ? await this.user(tenantId, userId ?? '')
        : await this.keys.principalOfId(tenantId, keyId);
    if (signer === undefined) throw refused('Who signed the URL is no longer let in');
    return signer;
  }

  /** Who came with a token of the identity provider. */
  private async user(tenantId: string, id: string): Promise<Identity | undefined> {
    const user = await this.database.call(tenantId, (db) => getUser(db, tenantId, id));
    if (user === undefined || user.disabledAt !== null) return undefined;
    const { displayName: name, role } = user;
    return { tenantId, id, userId: id, agentId: null, keyId: null, name, role, expiresAt: null };
  }
}

function refused(why: string): PerdureError {
  return new PerdureError('signed-url-refused', why);
}
