import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Position } from '@perdure/store/read';
import { Seals } from '../access/seals.ts';

const purpose = 'page tokens';

/**
 * Page tokens say where a page ended, which may be at a job that the caller does not see. They are sealed for the tenant, the filter and what the
 * caller sees, so that none works for another list.
 */
@Injectable()
export class PageTokens {
  constructor(private readonly seals: Seals) {}

  /** The page that a token names, or the first: `read` is told after which place, and answers what is there and where the next page begins. */
  async page<Item>(
    token: string | undefined,
    scope: string,
    read: (after: Position | undefined) => Promise<{ items: Item[]; next: Position | null }>,
  ): Promise<{ items: Item[]; nextPageToken: string | null }> {
    const { items, next } = await read(token === undefined ? undefined : this.read(token, scope));
    return { items, nextPageToken: next && this.seals.seal(purpose, scope, [next.at, next.id]) };
  }

  /** Throws 'invalid-request' for a token that this API has not written for this very list. */
  private read(token: string, scope: string): Position {
    const position = this.seals.open(purpose, scope, token);
    if (position === undefined) {
      const detail = 'is not a token of a page of this list: same filters, same sort, same tenant';
      throw new PerdureError('invalid-request', `pageToken ${detail}`, {
        details: [{ pointer: 'query/pageToken', detail }],
      });
    }
    const [at, id] = position as [string, string];
    return { at, id };
  }
}
