import { defaultTenantId } from '@perdure/job/ids';
import { createKey } from '@perdure/store/admin';
import { randomUUID } from 'node:crypto';
import { newSecret } from '../../keys/secret.ts';
import type { ApiWithoutWorkers } from '../api-without-workers.ts';
import { ended } from '../record.ts';
import { begun } from '../tus.ts';
import type { Caller } from './expected.ts';

/** The things that the operations are about, all of one tenant, by what the table calls them. */
export type Things = Awaited<ReturnType<typeof aScene>>['things'];
export type Scene = { keys: Record<Caller, string | null>; things: Things };

/** A user with a key, for each role that a caller has. */
async function people(api: ApiWithoutWorkers, foreignTenant: string) {
  const person = async (role: 'member' | 'operator' | 'admin', tenantId = defaultTenantId) => {
    const { id } = await api.userWith(role, tenantId);
    const { key, ...secret } = newSecret();
    await createKey(api.db, { tenantId, name: 'a key', role, userId: id, ...secret });
    return { id, key };
  };
  const [owner, viewer, editor, member] = [
    ...[await person('member'), await person('member'), await person('member'), await person('member')],
  ] as const;
  const staff = { operator: await person('operator'), admin: await person('admin') };
  return { owner, viewer, editor, member, ...staff, foreign: await person('admin', foreignTenant) };
}

/** An HTTP agent of the tenant, alone in a pool. */
async function anAgent(api: ApiWithoutWorkers) {
  const id = `press-${randomUUID()}`;
  const pool = `presses-${randomUUID()}`;
  const key = await api.keyFor('agent', defaultTenantId, id);
  const json = { functions: [{ name: 'predict', version: '1.0.0' }], pools: [pool] };
  await made(api, '/v1/agents', { json, key }, 200);
  return { id, pool, key };
}

type Asked = Parameters<ApiWithoutWorkers['ask']>[1];

async function made(api: ApiWithoutWorkers, path: string, asked: Asked, status = 201): Promise<string> {
  const answer = await api.ask(path, asked);
  if (answer.status !== status) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return String(answer.body['id']);
}

/**
 * A job that an agent holds, one that has ended, a file that the first takes, uploads and a key: all of one member, who has shared the jobs and
 * the file with two others.
 */
export async function aScene(api: ApiWithoutWorkers, foreignTenant: string) {
  const { owner, viewer, editor, ...others } = await people(api, foreignTenant);
  const [agent, idle] = [await anAgent(api), await anAgent(api)];
  const { key } = owner;
  const file = await made(api, '/v1/files', { raw: 'bytes', key });
  const predict = { function: 'predict', parameters: { model: file } };
  const job = await made(api, '/v1/jobs', { json: predict, key });
  const over = await made(api, '/v1/jobs', { json: { function: 'echo' }, key });
  for (const id of [job, over]) await api.recorded({ id }, { status: 'PENDING' });
  await api.recorded({ id: job }, { status: 'RUNNING', attempt: 1, agentId: agent.id, startedAt: ended() });
  const outcome = { output: {}, files: [], resultFile: null };
  await api.recorded({ id: over }, { status: 'COMPLETED', endedAt: ended(), outcome });
  for (const thing of [`jobs/${job}`, `jobs/${over}`, `files/${file}`])
    for (const [access, { id }] of Object.entries({ viewer, editor }))
      await made(api, `/v1/${thing}/access`, { method: 'PUT', json: { user: { id }, access }, key }, 200);
  const upload = async () => (await begun(api, 3, {}, key)).split('/').at(-1) ?? '';
  const things = {
    job,
    ended: over,
    file,
    upload: await upload(),
    spareUpload: await upload(),
    key: await made(api, '/v1/keys', { json: { name: 'spare' }, key }),
    ownerId: owner.id,
    tenantId: defaultTenantId,
    agentId: agent.id,
    idleId: idle.id,
    pool: agent.pool,
    functionName: 'echo',
    functionVersion: '1.0.0',
    unknown: randomUUID(),
  };
  const keys = Object.fromEntries(
    Object.entries({ owner, viewer, editor, ...others, agent, idle }).map(([name, one]) => [name, one.key]),
  ) as Record<Exclude<Caller, 'nobody'>, string>;
  return { things, keys: { ...keys, nobody: null } };
}
