import type * as api from './generated.ts';
import type { Signal, Transport } from './transport.ts';

/** Those who run jobs. */
export const agentsOf = (transport: Transport) => ({
  list: async (options: Signal = {}): Promise<api.Agent[]> =>
    (await transport.body<api.ListAgentsData, api.AgentList>('GET', '/v1/agents', options)).items,

  get: (id: string, { signal }: Signal = {}): Promise<api.AgentDetails> =>
    transport.body<api.GetAgentData, api.AgentDetails>('GET', '/v1/agents/{id}', { path: { id }, signal }),

  /** It finishes what it has and takes nothing new. */
  drain: (id: string, { signal }: Signal = {}): Promise<api.Agent> =>
    transport.body<api.DrainAgentData, api.Agent>('POST', '/v1/agents/{id}:drain', {
      path: { id },
      repeatable: true,
      signal,
    }),

  /** It takes jobs again. */
  resume: (id: string, { signal }: Signal = {}): Promise<api.Agent> =>
    transport.body<api.ResumeAgentData, api.Agent>('POST', '/v1/agents/{id}:resume', {
      path: { id },
      repeatable: true,
      signal,
    }),
});

/** What agents can run. */
export const functionsOf = (transport: Transport) => ({
  /** Every version of every function. */
  list: async (options: Signal = {}): Promise<api.Function[]> =>
    (await transport.body<api.ListFunctionsData, api.FunctionList>('GET', '/v1/functions', options)).items,

  get: (name: string, version: string, { signal }: Signal = {}): Promise<api.Function> =>
    transport.body<api.GetFunctionData, api.Function>('GET', '/v1/functions/{name}/{version}', {
      path: { name, version },
      signal,
    }),
});

/** API keys. */
export const keysOf = (transport: Transport) => ({
  /** All of one's own; to an admin, of the tenant. */
  list: async ({ signal }: Signal = {}): Promise<api.Key[]> => {
    const keys: api.Key[] = [];
    let pageToken: string | undefined;
    do {
      const call = { query: { pageSize: 200, pageToken }, signal };
      const page = await transport.body<api.ListKeysData, api.KeyPage>('GET', '/v1/keys', call);
      keys.push(...page.items);
      pageToken = page.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    return keys;
  },

  /** The secret is in `key`, and is shown this once. It is tried once: a repeat would make a second key. */
  create: (request: api.KeyRequest, { signal }: Signal = {}): Promise<api.NewKey> =>
    transport.body<api.CreateKeyData, api.NewKey>('POST', '/v1/keys', { body: request, signal }),

  revoke: (id: string, { signal }: Signal = {}): Promise<void> =>
    transport.body<api.RevokeKeyData, void>('DELETE', '/v1/keys/{id}', { path: { id }, signal }),
});

/** Named groups of agents. */
export const poolsOf = (transport: Transport) => ({
  list: async (options: Signal = {}): Promise<api.Pool[]> =>
    (await transport.body<api.ListPoolsData, api.PoolList>('GET', '/v1/pools', options)).items,

  get: (name: string, { signal }: Signal = {}): Promise<api.PoolDetails> =>
    transport.body<api.GetPoolData, api.PoolDetails>('GET', '/v1/pools/{name}', { path: { name }, signal }),
});
