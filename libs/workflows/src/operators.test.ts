import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseStart } from '@perdure/job/start';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../tests/support/wait.ts';
import { jobWorkflowType, startOptions } from './start.ts';
import { aClaim, openStageSet, type StageSet, untilCanceled } from './testing/stage-set.ts';

let set: StageSet;
beforeAll(async () => {
  set = await openStageSet();
  await set.agent('waiting', 'waiting', {
    execute: untilCanceled,
    claim: () => Promise.resolve(aClaim('waiting')),
  });
});
afterAll(() => set.close());

function aStart(more: object = {}) {
  const parsed = parseStart({ function: 'echo', version: '1.0.0', owner: 'ann', admitted: true, ...more });
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

test('an operator sees in the Temporal UI what a job is, whose, where and how far', async () => {
  const start = aStart({
    pool: 'waiting',
    name: 'try',
    labels: { team: 'a' },
    parameters: { model: `${'m'.repeat(300)}` },
  });
  const handle = await set.client.workflow.start(jobWorkflowType, startOptions(randomUUID(), start));
  await waitFor(
    () => set.records.some(({ state }) => state.jobId === handle.workflowId && state.status === 'RUNNING'),
    { what: 'RUNNING' },
  );

  const described = await waitFor(
    async () => {
      const now = await handle.describe();
      return now.searchAttributes['JobAgent'] && now;
    },
    { what: 'the search attributes' },
  );
  expect(described.searchAttributes).toMatchObject({
    JobStatus: ['RUNNING'],
    JobFunction: ['echo@1.0.0'],
    JobTenant: [start.tenantId],
    JobPool: ['waiting'],
    JobAgent: ['waiting'],
  });
  // Longer keywords would make the workflow invisible on PostgreSQL.
  expect(String(described.searchAttributes['JobModel']).length).toBeLessThanOrEqual(255);
  expect(described.memo).toEqual({ owner: 'ann', name: 'try', labels: { team: 'a' } });
  expect(await described.staticSummary()).toBe('echo@1.0.0');
  const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(currentDetails).toBe('**RUNNING** on `waiting`, attempt 1');
  await handle.signal('cancel', { mode: 'force' });
  await expect(handle.result()).rejects.toThrow();
});

test('starting a job twice is starting it once', async () => {
  const options = startOptions(randomUUID(), aStart({ pool: 'nobody' }));
  const handle = await set.client.workflow.start(jobWorkflowType, options);
  await expect(set.client.workflow.start(jobWorkflowType, options)).rejects.toThrow('already started');
  await handle.signal('cancel');
  await expect(handle.result()).rejects.toThrow();
  await expect(set.client.workflow.start(jobWorkflowType, options)).rejects.toThrow('already started');
});
