import { expect, test } from '@jest/globals';
import { DeterminismViolationError } from '@temporalio/workflow';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { payloadConverterPath, workflowBundle } from './testing/stage-set.ts';

const folder = join(import.meta.dirname, '../histories');
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

async function replay(history: unknown): Promise<void> {
  await Worker.runReplayHistory(
    { workflowBundle: await workflowBundle(), dataConverter: { payloadConverterPath } },
    history,
  );
}

test.each(names)('jobs that are under way survive this version: %s', async (name) => {
  await replay(JSON.parse(readFileSync(join(folder, name), 'utf8')));
});

test('a replay notices a workflow that took another way', async () => {
  const history = JSON.parse(
    readFileSync(join(folder, 'ordinary.json'), 'utf8').replaceAll('execute-1', 'execute-2'),
  ) as unknown;
  await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
});

test('there are histories to replay', () => {
  expect(names.length).toBeGreaterThanOrEqual(10);
});
