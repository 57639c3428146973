import { z } from 'zod';
import { agentId, anyObject, digest, functionName, moment, poolName, text, uuid, version } from './pieces.ts';
import { permissions, roles } from '../permissions.ts';

const tool = z.strictObject({ name: z.string(), version: z.string() });

export const Function = z
  .strictObject({
    name: functionName,
    version,
    description: z.string(),
    inputSchema: anyObject.describe(
      'JSON Schema 2020-12 of `parameters`; `format: perdure-file` marks the id of a file',
    ),
    outputSchema: anyObject.nullable().describe('JSON Schema 2020-12 of `output`'),
    result: z.string().nullable().describe('The file that is the result; null: the output is'),
    tool: tool.nullable(),
    operatingSystems: z.array(z.string()).nullable().describe('Where it can run; null: anywhere'),
  })
  .meta({ id: 'Function', description: 'Something agents can run' });
export type Function = z.output<typeof Function>;

export const FunctionList = z
  .strictObject({ items: z.array(Function) })
  .meta({ id: 'FunctionList', description: 'Every version of every function, by name, newest first' });
export type FunctionList = z.output<typeof FunctionList>;

export const FunctionPath = z.strictObject({ name: functionName, version });
export type FunctionPath = z.output<typeof FunctionPath>;

export const Agent = z
  .strictObject({
    id: agentId,
    displayName: z.string(),
    status: z
      .enum(['idle', 'busy', 'draining', 'offline'])
      .describe('`busy`: no slot is free. `draining`: finishes what it has and takes nothing new'),
    pool: poolName.nullable(),
    functions: z.array(z.strictObject({ name: functionName, version })),
    tools: z.array(tool),
    operatingSystem: z.string(),
    slots: z.int().describe('How many jobs it runs at once'),
    busy: z.int().describe('How many it runs now'),
    softwareVersion: z.string(),
    startedAt: moment,
    lastBeatAt: moment.describe('When it was last heard of'),
  })
  .meta({ id: 'Agent', description: 'Someone who runs jobs' });
export type Agent = z.output<typeof Agent>;

export const AgentList = z.strictObject({ items: z.array(Agent) }).meta({ id: 'AgentList' });
export type AgentList = z.output<typeof AgentList>;

export const AgentPath = z.strictObject({ id: agentId });
export type AgentPath = z.output<typeof AgentPath>;

export const File = z
  .strictObject({
    id: uuid,
    name: z.string(),
    mediaType: z.string(),
    size: z.int().describe('Bytes'),
    sha256: digest,
    createdAt: moment,
    links: z.strictObject({ self: z.string(), content: z.string() }),
  })
  .meta({ id: 'File', description: 'A file; its bytes never change' });
export type File = z.output<typeof File>;

export const FilePath = z.strictObject({ id: uuid });
export type FilePath = z.output<typeof FilePath>;

export const UploadQuery = z.strictObject({
  name: text(255).optional().describe('The name of the file; or by Content-Disposition'),
});
export type UploadQuery = z.output<typeof UploadQuery>;

const role = z.enum(roles).describe('What the key may do');

export const KeyRequest = z
  .strictObject({
    name: text(100).describe('Whose key it is, or what for'),
    role: role.optional().describe('`member` without it; `agent` with `agentId`'),
    agentId: agentId.optional().describe('The key speaks for this agent only; its role is `agent`'),
    expiresAt: z.iso.datetime().optional().describe('When it stops working; never without it'),
  })
  .meta({ id: 'KeyRequest', examples: [{ name: 'nightly import', role: 'member' }] });
export type KeyRequest = z.output<typeof KeyRequest>;

export const Key = z
  .strictObject({
    id: uuid,
    name: z.string(),
    role,
    agentId: agentId.nullable().describe('The agent it speaks for'),
    prefix: z.string().describe('How the key begins'),
    lastFour: z.string().describe('How the key ends'),
    createdAt: moment,
    expiresAt: moment.nullable(),
    revokedAt: moment.nullable(),
    lastUsedAt: moment.nullable().describe('To the minute'),
  })
  .meta({ id: 'Key', description: 'An API key, without its secret' });
export type Key = z.output<typeof Key>;

export const NewKey = Key.extend({ key: z.string().describe('The key itself. It is shown this once') }).meta({
  id: 'NewKey',
  description: 'An API key that was just made',
});
export type NewKey = z.output<typeof NewKey>;

export const KeyList = z.strictObject({ items: z.array(Key) }).meta({ id: 'KeyList' });
export type KeyList = z.output<typeof KeyList>;

export const KeyPath = z.strictObject({ id: uuid });
export type KeyPath = z.output<typeof KeyPath>;

export const Me = z
  .strictObject({
    keyId: uuid,
    tenantId: uuid,
    name: z.string(),
    role,
    expiresAt: moment.nullable(),
    permissions: z.array(z.enum(Object.keys(permissions) as [string, ...string[]])),
  })
  .meta({ id: 'Me', description: 'Who is asking, and what this key may do' });
export type Me = z.output<typeof Me>;
