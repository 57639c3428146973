import { expect, test } from '@jest/globals';
import type { JobState } from '@perdure/job/event';
import { Job } from '@perdure/job/schemas';
import type { JobRecord } from '@perdure/store/read';
import { aheadOfRecord, etagOf, fromRecord, retryAfter, toJob } from './job-answer.ts';

const at = '2026-11-22T05:00:00.000Z';

const record: JobRecord = {
  id: 'job-1',
  tenantId: '00000000-0000-7000-8000-000000000001',
  owner: 'ada',
  name: null,
  functionName: 'echo',
  functionVersion: '1.0.0',
  pool: null,
  assignedAgentId: null,
  tool: null,
  operatingSystem: null,
  status: 'RUNNING',
  attempt: 1,
  agentId: 'agent-1',
  agentLosses: 0,
  parameters: { secret: 'for the owner' },
  parametersSha256: null,
  labels: {},
  priority: 3,
  limits: {},
  output: null,
  files: [],
  resultFile: null,
  error: null,
  lastFailure: null,
  nextAttemptAt: null,
  tryNumber: 1,
  waitingReason: null,
  reruns: [],
  progress: { done: 1, total: 2, unit: 'rows', message: null },
  stop: null,
  cancelRequestedAt: null,
  cancelForced: null,
  cancelDeliveredAt: null,
  revision: 7,
  lastSeq: 5,
  start: {
    tenantId: '00000000-0000-7000-8000-000000000001',
    owner: 'ada',
    function: 'echo',
    parameters: {},
    labels: {},
    priority: 3,
    limits: {},
    maxAgentLosses: 3,
    historyEvents: 2_000,
    admitted: true,
  },
  createdAt: '2026-11-22T05:00:00.000000Z',
  queuedAt: at,
  startedAt: at,
  endedAt: null,
  updatedAt: at,
  workflowStartedAt: at,
  archivedAt: null,
};

const state: JobState = {
  jobId: 'job-1',
  status: 'COMPLETED',
  attempt: 1,
  seq: 7,
  agentId: 'agent-1',
  pool: null,
  assignedAgentId: null,
  functionVersion: '1.0.0',
  agentLosses: 0,
  createdAt: at,
  queuedAt: at,
  startedAt: at,
  endedAt: at,
  cancelRequestedAt: null,
  cancelForced: null,
  stop: null,
  error: null,
  outcome: { output: { a: 1 }, files: [], resultFile: null },
};

test('an answer has the fields of the schema, and none of the record beyond', () => {
  const job = toJob(fromRecord(record), () => null);
  expect(Job.parse(job)).toEqual(job);
  expect(Object.keys(job)).not.toContain('tenantId');
});

test('a record vouches for the moment it was written, and for ever once the job has ended', () => {
  expect(fromRecord(record)).toMatchObject({ source: 'record', asOf: at });
  const ended = fromRecord({ ...record, status: 'FAILED' });
  expect(Date.now() - Date.parse(ended.asOf)).toBeLessThan(1_000);
});

test('what the workflow has decided beyond the record is answered, under a tag that no revision has', () => {
  const seen = aheadOfRecord(record, state, at);
  const job = toJob(seen, () => null);
  expect(job).toMatchObject({
    status: 'COMPLETED',
    output: { a: 1 },
    endedAt: at,
    progress: null,
    source: 'workflow',
    revision: 7,
  });
  expect(etagOf(seen)).toBe('"7.7"');
  expect(etagOf(fromRecord(record))).toBe('"7"');
});

test.each([
  [0, '1'],
  [9, '1'],
  [10, '2'],
  [45, '5'],
  [90, '10'],
  [100_000, '10'],
  [-60, '1'],
])('a job that is %d seconds old is worth asking again after %s', (age, seconds) => {
  const createdAt = new Date(Date.now() - age * 1_000).toISOString();
  expect(retryAfter({ status: 'RUNNING', createdAt })).toBe(seconds);
  expect(retryAfter({ status: 'FAILED', createdAt })).toBeUndefined();
});
