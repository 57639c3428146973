import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aClaim, openStageSet, type StageSet } from './testing/stage-set.ts';
import { watchJobs } from './testing/watch-jobs.ts';

let set: StageSet;
const { start, stateOf, typesOf } = watchJobs(() => set);
let checks = 0;

beforeAll(async () => {
  set = await openStageSet();
  await set.agent('careful', undefined, {
    claim: () => Promise.resolve(aClaim('careful', { verdict: { kind: 'deeper' } })),
    validate: async () => void checks++,
  });
});
afterAll(() => set.close());

test('a job that was found valid before goes without the deeper check, and its history says so', async () => {
  const handle = await start({ function: 'echo', rerunOf: 'the-first', validated: true });
  await handle.result();
  expect(checks).toBe(0);
  const validated = set.eventsOf(handle.workflowId).find(({ type }) => type === 'validated');
  expect(validated?.message).toContain('the-first');
  expect(stateOf(handle).status).toBe('COMPLETED');
});

test('any other is checked', async () => {
  const handle = await start({ function: 'echo', rerunOf: 'the-first' });
  await handle.result();
  expect(checks).toBe(1);
  expect(typesOf(handle)).toContain('validated');
});
