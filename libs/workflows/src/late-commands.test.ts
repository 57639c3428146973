import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isTerminal } from '@perdure/job/status';
import { randomUUID } from 'node:crypto';
import { openStageSet, type StageSet } from './testing/stage-set.ts';

// While the end is recorded, within the last workflow task, a command arrives: Temporal refuses the task, and repeats it with the command in it.
let set: StageSet;
let meanwhile: (jobId: string) => Promise<void> = async () => undefined;
beforeAll(async () => {
  set = await openStageSet({
    record: async (entry) => {
      set.records.push(entry);
      if (!isTerminal(entry.state.status)) return;
      const send = meanwhile;
      meanwhile = async () => undefined;
      await send(entry.state.jobId);
    },
  });
  await set.agent('good', undefined);
});
afterAll(() => set.close());

test.each(['cancel', 'nonsense'])(
  'a job whose end was recorded keeps that end, whatever %s arrives meanwhile',
  async (signal) => {
    let arrived = false;
    meanwhile = async (jobId) => {
      await set.client.workflow.getHandle(jobId).signal(signal, {});
      arrived = true;
    };
    const handle = await set.client.workflow.start('job', {
      taskQueue: 'perdure',
      workflowId: randomUUID(),
      args: [{ function: 'echo' }],
    });
    await handle.result();
    expect(arrived).toBe(true);
    const ends = set.records.filter(
      ({ state }) => state.jobId === handle.workflowId && isTerminal(state.status),
    );
    expect(ends.length).toBeGreaterThan(1);
    expect(new Set(ends.map(({ state }) => state.status))).toEqual(new Set(['COMPLETED']));
  },
);
