import { fileFormat } from '@perdure/job/files-in';
import type { JsonObject } from '@perdure/job/json';
import type { Database } from '@perdure/store/database';
import type { FunctionRecord } from '@perdure/store/read';
import { announceAgent, announceFunctions, type Announcement } from '@perdure/store/report';

export function aFunction(some: Partial<FunctionRecord> = {}): FunctionRecord {
  return {
    tenantId: null,
    name: 'sleep',
    version: '1.0.0',
    description: 'Sleeps',
    inputSchema: anObject({ seconds: { type: 'number', minimum: 0 } }, ['seconds']),
    outputSchema: null,
    result: null,
    tool: null,
    operatingSystems: null,
    registeredAt: new Date().toISOString(),
    ...some,
  };
}

export function anObject(properties: JsonObject, required: string[] = []): JsonObject {
  return { type: 'object', properties, required, additionalProperties: false };
}

export function anAgent(some: Partial<Announcement> = {}): Announcement {
  return {
    id: 'agent-1',
    tenantId: null,
    displayName: 'Agent 1',
    kind: 'native',
    pools: ['gpu'],
    functions: [{ name: 'sleep', version: '1.0.0' }],
    tools: [],
    operatingSystem: 'linux',
    slots: 2,
    softwareVersion: '0.1.0',
    leaseSeconds: 15,
    startedAt: new Date().toISOString(),
    ...some,
  };
}

/** What most tests need: `echo` (anything), `sleep` (two versions) and `predict` (takes files). */
export async function announceAll(db: Database): Promise<void> {
  const file = { type: 'string', format: fileFormat };
  await announceFunctions(db, [
    aFunction({ name: 'echo', inputSchema: { type: 'object' } }),
    aFunction(),
    aFunction({ version: '1.1.0' }),
    aFunction({
      name: 'predict',
      inputSchema: anObject({ model: file, extra: { type: 'array', items: file } }, ['model']),
    }),
  ]);
  await announceAgent(db, anAgent());
}
