import type * as api from './generated.ts';
import type { Signal, Transport } from './transport.ts';

export type AuditQuery = NonNullable<api.ListAuditData['query']>;

/** Who did what in the tenant: for admins. */
export const auditOf = (transport: Transport) => {
  const page = (query: AuditQuery = {}, { signal }: Signal = {}): Promise<api.AuditPage> =>
    transport.body<api.ListAuditData, api.AuditPage>('GET', '/v1/audit', {
      query,
      headers: { accept: 'application/json' },
      signal,
    });
  return {
    /** One page of entries, newest first; `nextPageToken` asks for the next. */
    page,

    /** All entries, page by page as they are asked for. */
    async *list(
      filter: Omit<AuditQuery, 'pageToken'> = {},
      options: Signal = {},
    ): AsyncGenerator<api.AuditEntry, void> {
      let pageToken: string | undefined;
      do {
        const { items, nextPageToken } = await page({ pageSize: 200, ...filter, pageToken }, options);
        yield* items;
        pageToken = nextPageToken ?? undefined;
      } while (pageToken !== undefined);
    },
  };
};
