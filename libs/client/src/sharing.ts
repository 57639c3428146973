import type * as api from './generated.ts';
import type { Signal, Transport } from './transport.ts';

type Listed = api.GetJobAccessData | api.GetFileAccessData;
type Shared = api.ShareJobData | api.ShareFileData;
type Unshared = api.UnshareJobData | api.UnshareFileData;

/** Who has access to a job, or to a file. */
export const accessOf = (transport: Transport, kind: 'jobs' | 'files') => ({
  /** The owner first. */
  list: async (id: string, { signal }: Signal = {}): Promise<api.AccessEntry[]> =>
    (
      await transport.body<Listed, api.AccessList>('GET', `/v1/${kind}/{id}/access`, {
        path: { id },
        signal,
      })
    ).items,

  /** Or another access than before. */
  give: (id: string, { signal, ...body }: api.ShareRequest & Signal): Promise<api.AccessEntry> =>
    transport.body<Shared, api.AccessEntry>('PUT', `/v1/${kind}/{id}/access`, {
      path: { id },
      body,
      repeatable: true,
      signal,
    }),

  take: (id: string, userId: string, { signal }: Signal = {}): Promise<void> =>
    transport.body<Unshared, void>('DELETE', `/v1/${kind}/{id}/access/{userId}`, {
      path: { id, userId },
      repeatable: true,
      signal,
    }),
});
