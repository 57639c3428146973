import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Position } from '@perdure/store/read';
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Settings } from '../settings.ts';

/**
 * Page tokens say where a page ended. They are signed together with the tenant and the filter, so that none works for
 * another list. The key is derived from the secret that all replicas share, the address of the database.
 */
@Injectable()
export class PageTokens {
  private readonly key: Buffer;

  constructor({ config }: Settings) {
    this.key = Buffer.from(hkdfSync('sha256', config.database.url, '', 'perdure page tokens', 32));
  }

  /** The page that a token names, or the first: `read` is told after which place, and answers what is there and where the next page begins. */
  async page<Item>(
    token: string | undefined,
    scope: string,
    read: (after: Position | undefined) => Promise<{ items: Item[]; next: Position | null }>,
  ): Promise<{ items: Item[]; nextPageToken: string | null }> {
    const { items, next } = await read(token === undefined ? undefined : this.read(token, scope));
    return { items, nextPageToken: next && this.write(next, scope) };
  }

  private write({ at, id }: Position, scope: string): string {
    const position = Buffer.from(JSON.stringify([at, id])).toString('base64url');
    return `${position}.${this.sign(position, scope).toString('base64url')}`;
  }

  /** Throws 'invalid-request' for a token that this API has not written for this very list. */
  private read(token: string, scope: string): Position {
    const [position = '', signature = ''] = token.split('.', 2);
    const given = Buffer.from(signature, 'base64url');
    const right = this.sign(position, scope);
    if (given.length !== right.length || !timingSafeEqual(given, right)) {
      const detail = 'is not a token of a page of this list: same filters, same sort, same tenant';
      throw new PerdureError('invalid-request', `pageToken ${detail}`, {
        details: [{ pointer: 'query/pageToken', detail }],
      });
    }
    const [at, id] = JSON.parse(Buffer.from(position, 'base64url').toString()) as [string, string];
    return { at, id };
  }

  private sign(position: string, scope: string): Buffer {
    return createHmac('sha256', this.key).update(`${scope}\n${position}`).digest().subarray(0, 16);
  }
}
