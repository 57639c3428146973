import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import type { Database } from './database.ts';
import { type FunctionRecord, getFunction, listFunctions } from './read.ts';
import { announceFunctions } from './report.ts';
import { openFresh, otherTenantId } from './test-support.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

function aFunction(overrides: Partial<FunctionRecord> = {}): Omit<FunctionRecord, 'registeredAt'> {
  return {
    tenantId: null,
    name: 'predict',
    version: '1.0.0',
    description: 'Predicts',
    inputSchema: { type: 'object' },
    outputSchema: { type: 'object' },
    result: 'predictions.csv',
    tool: { name: 'onnx', version: '1' },
    operatingSystems: ['linux', 'darwin'],
    ...overrides,
  };
}

test('a function reads back as it was announced, and the newest version is found without naming it', async () => {
  const versions = ['1.9.0', '1.10.0', '1.10.0-rc.1', '1.2.0'].map((version) => aFunction({ version }));
  await announceFunctions(db, versions);
  expect(await getFunction(db, defaultTenantId, 'predict')).toMatchObject({ version: '1.10.0' });
  const exact = await getFunction(db, defaultTenantId, 'predict', '1.2.0');
  expect(exact).toEqual({ ...aFunction({ version: '1.2.0' }), registeredAt: exact?.registeredAt });
  expect(await getFunction(db, defaultTenantId, 'predict', '7.0.0')).toBeUndefined();
  expect(await getFunction(db, defaultTenantId, 'nothing')).toBeUndefined();
  const listed = (await listFunctions(db, defaultTenantId)).map(({ version }) => version);
  expect(listed).toEqual(['1.10.0', '1.10.0-rc.1', '1.9.0', '1.2.0']);
});

test('agents that announce the same functions at once, in any order, do not block each other', async () => {
  const all = Array.from({ length: 30 }, (_, n) =>
    aFunction({ name: `f-${n}`, outputSchema: null, tool: null }),
  );
  const rounds = Array.from({ length: 10 }, (_, n) =>
    announceFunctions(db, n % 2 === 0 ? all : all.toReversed()),
  );
  await Promise.all(rounds);
  await announceFunctions(db, []);
  const { length } = (await listFunctions(db, defaultTenantId)).filter(({ name }) => name.startsWith('f-'));
  expect(length).toBe(30);
});

test("a tenant's own function hides everybody's of the same name and version, for that tenant", async () => {
  const own = aFunction({
    name: 'own',
    tenantId: defaultTenantId,
    description: 'Mine',
    operatingSystems: null,
  });
  await announceFunctions(db, [aFunction({ name: 'own' }), own]);
  expect(await getFunction(db, defaultTenantId, 'own')).toMatchObject({
    description: 'Mine',
    operatingSystems: null,
  });
  expect(await getFunction(db, otherTenantId, 'own')).toMatchObject({ description: 'Predicts' });
  expect((await listFunctions(db, defaultTenantId)).filter(({ name }) => name === 'own')).toHaveLength(1);
});
