import { expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import type { Role } from '@perdure/job/permissions';
import type { DatabaseService } from '../database/database.service.ts';
import type { Identity } from '../http/caller.ts';
import { Visibility } from './visibility.ts';

const job = { id: 'job-1', owner: 'ada' };
const file = { id: 'file-1', owner: 'ada', jobId: 'job-1' };

function aCaller(id: string, role: Role): Identity {
  const whose = role === 'agent' ? { userId: null, agentId: id } : { userId: id, agentId: null };
  return { tenantId: defaultTenantId, id, ...whose, keyId: null, name: 'a key', role, expiresAt: null };
}

/** With a database that must not be asked. */
const visibility = new Visibility({
  call: () => Promise.reject(new Error('a query')),
} as unknown as DatabaseService);

test.each(['member', 'operator', 'admin'] as const)(
  'to see what is its own costs a %s no query',
  async (role) => {
    const ada = aCaller('ada', role);
    expect(await visibility.job(ada, job, 'owner')).toBe(job);
    expect(await visibility.file(ada, file, 'owner')).toBe(file);
    expect(await visibility.jobsAmong(ada, [job, job])).toEqual([job, job]);
  },
);

test.each(['operator', 'admin'] as const)(
  'to see what belongs to others costs an %s none either',
  async (role) => {
    expect(await visibility.job(aCaller('bob', role), job, 'owner')).toBe(job);
    expect(await visibility.filesAmong(aCaller('bob', role), [file])).toEqual([file]);
  },
);

test('a member needs a look for it, and nobody needs one for what there is not', async () => {
  await expect(visibility.job(aCaller('bob', 'member'), job)).rejects.toThrow('a query');
  expect(await visibility.job(aCaller('bob', 'member'), undefined)).toBeUndefined();
  expect(await visibility.filesAmong(aCaller('bob', 'member'), [])).toEqual([]);
});

test('an agent sees nothing here, not even what has an owner of its name', async () => {
  expect(await visibility.job(aCaller('ada', 'agent'), job)).toBeUndefined();
  expect(await visibility.file(aCaller('ada', 'agent'), file)).toBeUndefined();
});
