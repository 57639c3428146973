import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { ApplicationFailure } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../../../tests/support/wait.ts';
import { aClaim, executed, openStageSet, silent, type StageSet, untilCanceled } from '../src/testing/stage-set.ts';

/*
 * Records the histories that `replay.test.ts` replays. Run by `npm run histories` when the workflow was changed on purpose and jobs that
 * are under way need not survive the change; a version that is in use keeps the histories it has.
 */

let set: StageSet;
let recordFails = 0;
beforeAll(async () => {
  set = await openStageSet({
    record: async (entry) => {
      if (entry.state.status === 'PENDING' && recordFails-- > 0) throw new Error('PostgreSQL is away');
      set.records.push(entry);
    },
  });
  await set.agent('good', undefined);
  await set.agent('waiting', 'waiting', { execute: untilCanceled });
});
afterAll(() => set.close());

async function start(argument: object) {
  return set.client.workflow.start('job', { taskQueue: 'perdure', workflowId: randomUUID(), args: [argument] });
}

async function keep(name: string, handle: Awaited<ReturnType<typeof start>>): Promise<void> {
  await handle.result().catch(() => undefined);
  const history = await set.client.workflow.getHandle(handle.workflowId).fetchHistory();
  expect(history.events?.length).toBeGreaterThan(5);
  const parsed: unknown = JSON.parse(historyToJSON(history), withoutPlaces);
  await writeFile(join(import.meta.dirname, `${name}.json`), `${JSON.stringify(parsed, null, 1)}\n`);
}

/** Neither the machine nor its folders belong into a fixture. */
function withoutPlaces(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return undefined;
  if (key === 'name' && /^\d+@/.test(String(value))) return 'a sticky queue';
  return key === 'identity' && String(value).includes('@') ? 'a client' : value;
}

const reaches = (handle: Awaited<ReturnType<typeof start>>, status: string) =>
  waitFor(() => set.records.some(({ state }) => state.jobId === handle.workflowId && state.status === status), { what: status });

test('ordinary', async () => keep('ordinary', await start({ function: 'echo', version: '1.0.0', admitted: true })));

test('direct start', async () => keep('direct-start', await start({ function: 'echo' })));

test('start that is refused', async () => keep('refused-start', await start({ function: 'echo', colour: 'red' })));

test('all stages', async () => {
  await set.agent('full', 'full', {
    claim: () => Promise.resolve(aClaim('full', { verdict: { kind: 'deeper' } })),
    execute: async () => ({ ...executed(), outcome: null }),
  });
  await keep('all-stages', await start({ function: 'echo', pool: 'full' }));
});

test('for later, and reassigned meanwhile', async () => {
  const notBefore = new Date(Date.now() + 2_000).toISOString();
  const handle = await start({ function: 'echo', version: '1.0.0', admitted: true, pool: 'nobody', notBefore });
  await reaches(handle, 'CREATED');
  await handle.signal('reassign', { anyone: true });
  await keep('scheduled', handle);
});

test('canceled while it runs', async () => {
  const handle = await start({ function: 'echo', pool: 'waiting' });
  await reaches(handle, 'RUNNING');
  await handle.signal('cancel', { reason: 'enough', by: 'ann' });
  await keep('canceled', handle);
});

test('canceled from the UI', async () => {
  const handle = await start({ function: 'echo', pool: 'waiting' });
  await reaches(handle, 'RUNNING');
  await handle.cancel();
  await keep('canceled-natively', handle);
});

test('reassigned, and refused once', async () => {
  const handle = await start({ function: 'echo', pool: 'waiting' });
  await reaches(handle, 'RUNNING');
  await handle.signal('nonsense');
  await handle.signal('reassign', { anyone: true, by: 'ann' });
  await keep('reassigned', handle);
});

test('agent lost', async () => {
  let first = true;
  await set.agent('mortal', 'mortal', {
    claim: () => Promise.resolve(aClaim('mortal', { leaseMs: 400 })),
    execute: async () => {
      if (!first) return executed();
      first = false;
      return silent();
    },
  });
  await keep('agent-lost', await start({ function: 'echo', pool: 'mortal' }));
});

test('given back', async () => {
  let times = 0;
  await set.agent('leaving', 'leaving', {
    execute: async () => {
      if (times++ === 0) throw ApplicationFailure.nonRetryable('the agent is shutting down', 'given-back');
      return executed();
    },
  });
  await keep('given-back', await start({ function: 'echo', pool: 'leaving' }));
});

test('continued as new', async () => {
  const handle = await start({ function: 'echo', pool: 'nobody', historyEvents: 20 });
  await reaches(handle, 'PENDING');
  for (let round = 0; round < 4; round++) {
    await handle.signal('reassign', { pool: `nobody-${round}` });
    await waitFor(() => set.eventsOf(handle.workflowId).length === 3 + round, { what: `round ${round}` });
  }
  await handle.signal('reassign', { anyone: true });
  await keep('continued-as-new', handle);
});

test('held over HTTP, and lost once', async () => {
  const handle = await start({ function: 'echo', pool: 'nobody', version: '1.0.0', admitted: true });
  const claim = (agentId: string, leaseMs: number) =>
    waitFor(() => handle.executeUpdate('claim', { args: [{ agentId, leaseMs }] }), { what: 'the claim' });
  await claim('h-1', 1_000);
  await waitFor(() => set.eventsOf(handle.workflowId).some(({ type }) => type === 'agentLost'), { what: 'the loss' });
  await claim('h-2', 60_000);
  await handle.signal('report', { agentId: 'h-2', attempt: 2, status: 'RUNNING' });
  const id = { workflowId: handle.workflowId, activityId: 'hold-2' };
  await waitFor(() => set.client.activity.complete(id, executed().outcome).then(() => true), { what: 'the hold' });
  await keep('held-over-http', handle);
});

test('record away', async () => {
  recordFails = 4;
  await keep('record-away', await start({ function: 'echo' }));
});
