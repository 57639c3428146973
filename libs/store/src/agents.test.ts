import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { type AgentRecord, getAgent, listAgents, poolExists } from './read.ts';
import { announceAgent, beat, expireAgents } from './report.ts';
import { openFresh, otherTenantId } from './test-support.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

function anAgent(overrides: Partial<AgentRecord> = {}): AgentRecord {
  return {
    id: 'agent-1',
    tenantId: null,
    displayName: 'Agent one',
    pool: 'gpu',
    functions: [{ name: 'echo', version: '1.0.0' }],
    tools: [{ name: 'matlab', version: '2026a' }],
    operatingSystem: 'linux',
    slots: 4,
    busy: 0,
    softwareVersion: '0.1.0',
    status: 'idle',
    startedAt: '2026-11-22T05:00:00.000Z',
    lastBeatAt: '1999-01-01T00:00:00.000Z',
    ...overrides,
  };
}

test('an agent reads back as it announced itself, with the beat of the database clock', async () => {
  const agent = anAgent();
  await announceAgent(db, agent);
  const read = await getAgent(db, defaultTenantId, agent.id);
  expect(read).toEqual({ ...agent, lastBeatAt: read?.lastBeatAt });
  expect(Date.now() - Date.parse(read?.lastBeatAt ?? '')).toBeLessThan(60_000);
  await announceAgent(db, anAgent({ slots: 8, tools: [] }));
  expect(await listAgents(db, otherTenantId)).toMatchObject([{ id: agent.id, slots: 8, tools: [] }]);
});

test("a tenant's agent serves that tenant only, and nobody takes its id", async () => {
  await announceAgent(db, anAgent({ id: 'own', tenantId: defaultTenantId, pool: 'mine' }));
  expect(await getAgent(db, otherTenantId, 'own')).toBeUndefined();
  expect(await poolExists(db, otherTenantId, 'mine')).toBe(false);
  expect(await poolExists(db, defaultTenantId, 'mine')).toBe(true);
  expect(await poolExists(db, defaultTenantId, 'nothing')).toBe(false);
  await expect(announceAgent(db, anAgent({ id: 'own' }))).rejects.toMatchObject({ code: 'id-taken' });
});

test('silence makes an agent offline, and a beat brings it back', async () => {
  for (const id of ['silent', 'lively']) await announceAgent(db, anAgent({ id, status: 'busy', busy: 2 }));
  await sql`update agents set last_beat_at = now() - interval '1 minute' where id = 'silent'`.execute(
    db.kysely,
  );
  expect(await expireAgents(db, 30_000)).toEqual(['silent']);
  expect(await expireAgents(db, 30_000)).toEqual([]);
  expect(await getAgent(db, defaultTenantId, 'silent')).toMatchObject({ status: 'offline', busy: 0 });
  expect(await beat(db, 'silent', { status: 'draining', busy: 1 })).toBe(true);
  expect(await getAgent(db, defaultTenantId, 'silent')).toMatchObject({ status: 'draining', busy: 1 });
  expect(await beat(db, 'nobody', { status: 'idle', busy: 0 })).toBe(false);
});
