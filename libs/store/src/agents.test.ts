import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { drainAgent, resumeAgent } from './admin.ts';
import { getAgent, listAgents, poolExists } from './read.ts';
import { announceAgent, type Announcement, beat } from './report.ts';
import { openFresh, otherTenantId } from './test-support.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

function anAgent(overrides: Partial<Announcement> = {}): Announcement {
  return {
    id: 'agent-1',
    tenantId: null,
    kind: 'native',
    displayName: 'Agent one',
    pools: ['gpu'],
    functions: [{ name: 'echo', version: '1.0.0' }],
    tools: [{ name: 'matlab', version: '2026a' }],
    operatingSystem: 'linux',
    slots: 4,
    softwareVersion: '0.1.0',
    leaseSeconds: 15,
    startedAt: '2026-11-22T05:00:00.000Z',
    ...overrides,
  };
}

async function silence(id: string, seconds: number): Promise<void> {
  await sql`update agents set last_beat_at = now() - ${seconds} * interval '1 second' where id = ${id}`.execute(
    db.kysely,
  );
}

test('an agent reads back as it announced itself, with the beat of the database clock', async () => {
  const agent = anAgent();
  await announceAgent(db, agent);
  const read = await getAgent(db, defaultTenantId, agent.id);
  expect(read).toEqual({
    ...agent,
    status: 'idle',
    busy: 0,
    lastBeatAt: read?.lastBeatAt,
    lastClaimAt: null,
    drainRequestedAt: null,
    drainRequestedBy: null,
  });
  expect(Date.now() - Date.parse(read?.lastBeatAt ?? '')).toBeLessThan(60_000);
  await announceAgent(db, anAgent({ slots: 8, tools: [] }));
  expect(await listAgents(db, otherTenantId)).toMatchObject([{ id: agent.id, slots: 8, tools: [] }]);
});

test("a tenant's agent serves that tenant only, and nobody takes its id", async () => {
  await announceAgent(db, anAgent({ id: 'own', tenantId: defaultTenantId, pools: ['mine'] }));
  expect(await getAgent(db, otherTenantId, 'own')).toBeUndefined();
  expect(await poolExists(db, otherTenantId, 'mine')).toBe(false);
  expect(await poolExists(db, defaultTenantId, 'mine')).toBe(true);
  expect(await poolExists(db, defaultTenantId, 'nothing')).toBe(false);
  await expect(announceAgent(db, anAgent({ id: 'own' }))).rejects.toMatchObject({ code: 'id-taken' });
});

test('silence for twice its lease makes an agent offline, and a beat brings it back', async () => {
  for (const id of ['silent', 'lively']) {
    await announceAgent(db, anAgent({ id }));
    await beat(db, id, { status: 'busy', busy: 2 });
  }
  await silence('silent', 31);
  await silence('lively', 29);
  expect(await getAgent(db, defaultTenantId, 'silent')).toMatchObject({ status: 'offline', busy: 0 });
  expect(await getAgent(db, defaultTenantId, 'lively')).toMatchObject({ status: 'busy', busy: 2 });
  await beat(db, 'silent', { status: 'draining', busy: 1 });
  expect(await getAgent(db, defaultTenantId, 'silent')).toMatchObject({ status: 'draining', busy: 1 });
  expect(await beat(db, 'nobody', { status: 'idle', busy: 0 })).toBe('unknown');
});

test('an agent that nobody has heard of for a week is not listed, and can still be looked up', async () => {
  await announceAgent(db, anAgent({ id: 'gone' }));
  await silence('gone', 8 * 24 * 3600);
  expect((await listAgents(db, defaultTenantId)).map(({ id }) => id)).not.toContain('gone');
  expect(await getAgent(db, defaultTenantId, 'gone')).toMatchObject({ status: 'offline' });
});

test('an agent learns what operators want with its beat', async () => {
  await announceAgent(db, anAgent({ id: 'ordered', pools: ['one', 'two'] }));
  const said = { status: 'idle', busy: 0 } as const;
  expect(await beat(db, 'ordered', said)).toEqual({ draining: false, pools: ['one', 'two'] });
  await drainAgent(db, 'ordered', 'ada');
  expect(await beat(db, 'ordered', said)).toMatchObject({ draining: true });
  expect(await getAgent(db, defaultTenantId, 'ordered')).toMatchObject({ drainRequestedBy: 'ada' });
  await resumeAgent(db, 'ordered');
  expect(await beat(db, 'ordered', said)).toMatchObject({ draining: false });
});

test('a process learns with its beat that a later one has taken its id', async () => {
  await announceAgent(db, anAgent({ id: 'twice' }), 'first');
  await announceAgent(db, anAgent({ id: 'twice', slots: 7 }), 'second');
  const said = { status: 'busy', busy: 1 } as const;
  expect(await beat(db, 'twice', said, 'first')).toBe('replaced');
  expect(await beat(db, 'twice', said, 'second')).toMatchObject({ draining: false });
});
