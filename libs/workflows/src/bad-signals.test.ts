import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../tests/support/wait.ts';
import { openStageSet, type StageSet } from './testing/stage-set.ts';

let set: StageSet;
beforeAll(async () => {
  set = await openStageSet();
  await set.agent('second', 'second');
});
afterAll(() => set.close());

const bytes = (text: string) => new TextEncoder().encode(text);
const encoding = (name: string) => ({ encoding: bytes(name) });

// Reliability catalogue F24: the first four wedge a workflow whose payload converter throws.
const payloads = {
  'broken JSON': [{ metadata: encoding('json/plain'), data: bytes('{"reason": ') }],
  'an unknown encoding': [{ metadata: encoding('stone/tablet'), data: bytes('x') }],
  'no encoding': [{ metadata: {}, data: bytes('x') }],
  'a protobuf as JSON': [{ metadata: encoding('json/protobuf'), data: bytes('{}') }],
  'binary data': [{ metadata: encoding('binary/plain'), data: new Uint8Array([0, 255, 1]) }],
  'a JSON text': [{ metadata: encoding('json/plain'), data: bytes('"now"') }],
  'surplus arguments': [
    { metadata: encoding('json/plain'), data: bytes('{"mode":"softly"}') },
    { metadata: encoding('json/plain'), data: bytes('1') },
  ],
};

test.each(Object.entries(payloads))(
  'a cancel signal with %s becomes an event, and the job goes on',
  async (_, input) => {
    const handle = await set.client.workflow.start('job', {
      taskQueue: 'perdure',
      workflowId: randomUUID(),
      args: [{ function: 'echo', pool: 'nobody' }],
    });
    await set.client.workflowService.signalWorkflowExecution({
      namespace: set.namespace,
      workflowExecution: { workflowId: handle.workflowId },
      signalName: 'cancel',
      input: { payloads: input },
      requestId: randomUUID(),
    });
    await waitFor(() => refusals(handle.workflowId).length > 0, { what: 'the refusal' });
    await goesOn(handle.workflowId);
  },
);

test('what an operator did to an activity is told once, however often, and only if it makes sense', async () => {
  const { workflowId } = await set.client.workflow.start('job', {
    taskQueue: 'perdure',
    workflowId: randomUUID(),
    args: [{ function: 'echo', pool: 'nobody' }],
  });
  const handle = set.client.workflow.getHandle(workflowId);
  const tell = (updateId: string, interruption: unknown) =>
    handle.executeUpdate('interrupted', { updateId, args: [interruption] });
  const pause = { activityId: 'execute-1', how: 'paused', by: 'ann', reason: 'lunch' };
  for (const updateId of ['first', 'first', 'second']) await tell(updateId, pause);
  for (const wrong of [undefined, 'now', { ...pause, how: 'eaten' }, { ...pause, colour: 'red' }])
    await expect(tell(randomUUID(), wrong)).rejects.toThrow();
  await goesOn(workflowId);
  const told = set.eventsOf(workflowId).filter(({ type }) => type === 'interrupted');
  expect(told).toHaveLength(2);
  expect(told[0]).toMatchObject({
    status: 'PENDING',
    actor: 'ann',
    message: 'the activity execute-1 was paused in Temporal: lunch',
    data: { activityId: 'execute-1', how: 'paused' },
  });
});

test('an empty cancel signal is a plain cancel', async () => {
  const handle = await set.client.workflow.start('job', {
    taskQueue: 'perdure',
    workflowId: randomUUID(),
    args: [{ function: 'echo', pool: 'nobody' }],
  });
  await handle.signal('cancel');
  await expect(handle.result()).rejects.toThrow();
  expect(set.eventsOf(handle.workflowId).at(-1)?.type).toBe('canceled');
});

test.each([
  ['stop', []],
  ['Cancel', [{}]],
  ['reassign', []],
  ['reassign', [{ agentId: 'a', pool: 'b' }]],
  ['reassign', [{ agentId: 'no such / id' }]],
  ['reassign', [{ anyone: false }]],
  ['cancel', [{ graceSeconds: -1 }]],
  ['cancel', [{ why: 'typo' }]],
  ['report', []],
  ['report', [{ agentId: 'h-1', attempt: 1, status: 'COMPLETED' }]],
])('the signal %s with %j is refused by name, and the job goes on', async (name, args) => {
  const handle = await set.client.workflow.start('job', {
    taskQueue: 'perdure',
    workflowId: randomUUID(),
    args: [{ function: 'echo', pool: 'nobody' }],
  });
  await handle.signal(name, ...args);
  await waitFor(() => refusals(handle.workflowId).some((message) => message?.includes(name)), {
    what: 'the refusal',
  });
  await goesOn(handle.workflowId);
});

test('a flood of nonsense does not end the job', async () => {
  const handle = await set.client.workflow.start('job', {
    taskQueue: 'perdure',
    workflowId: randomUUID(),
    args: [{ function: 'echo', pool: 'nobody' }],
  });
  await Promise.all(Array.from({ length: 300 }, (_, index) => handle.signal(`nonsense-${index}`)));
  await goesOn(handle.workflowId);
});

function refusals(jobId: string) {
  return set
    .eventsOf(jobId)
    .filter(({ type }) => type === 'commandRefused')
    .map(({ message }) => message);
}

async function goesOn(jobId: string): Promise<void> {
  const handle = set.client.workflow.getHandle(jobId);
  await handle.signal('reassign', { pool: 'second' });
  expect(await handle.result()).toMatchObject({ output: { echo: {} } });
}
