import type * as api from './generated.ts';
import type { Signal, Transport } from './transport.ts';

/** Who has access to a job. */
export const jobAccessOf = (transport: Transport) => ({
  /** The owner first. */
  list: async (id: string, { signal }: Signal = {}): Promise<api.AccessEntry[]> =>
    (
      await transport.body<api.GetJobAccessData, api.AccessList>('GET', '/v1/jobs/{id}/access', {
        path: { id },
        signal,
      })
    ).items,

  /** Or another access than before. */
  give: (id: string, { signal, ...body }: api.ShareRequest & Signal): Promise<api.AccessEntry> =>
    transport.body<api.ShareJobData, api.AccessEntry>('PUT', '/v1/jobs/{id}/access', {
      path: { id },
      body,
      repeatable: true,
      signal,
    }),

  take: (id: string, userId: string, { signal }: Signal = {}): Promise<void> =>
    transport.body<api.UnshareJobData, void>('DELETE', '/v1/jobs/{id}/access/{userId}', {
      path: { id, userId },
      repeatable: true,
      signal,
    }),
});

/** Who has access to a file. */
export const fileAccessOf = (transport: Transport) => ({
  /** The owner first. */
  list: async (id: string, { signal }: Signal = {}): Promise<api.AccessEntry[]> =>
    (
      await transport.body<api.GetFileAccessData, api.AccessList>('GET', '/v1/files/{id}/access', {
        path: { id },
        signal,
      })
    ).items,

  /** Or another access than before. */
  give: (id: string, { signal, ...body }: api.ShareRequest & Signal): Promise<api.AccessEntry> =>
    transport.body<api.ShareFileData, api.AccessEntry>('PUT', '/v1/files/{id}/access', {
      path: { id },
      body,
      repeatable: true,
      signal,
    }),

  take: (id: string, userId: string, { signal }: Signal = {}): Promise<void> =>
    transport.body<api.UnshareFileData, void>('DELETE', '/v1/files/{id}/access/{userId}', {
      path: { id, userId },
      repeatable: true,
      signal,
    }),
});
