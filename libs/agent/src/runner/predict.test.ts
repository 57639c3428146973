import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isAlive } from '../../../../tests/support/alive.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { openSession } from './session.ts';
import { functionOf } from './testing/sessions.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const predict = await functionOf('evaluation', 'predict');
const parameters = {
  model: '00000000-0000-7000-8000-00000000000a',
  modelCard: '00000000-0000-7000-8000-00000000000b',
  data: '00000000-0000-7000-8000-00000000000c',
};
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'predict-'))));
afterAll(() => rm(folder, { recursive: true }));

async function start(model: string, data = 'examples/breast-cancer/score.csv') {
  const scratch = await mkdtemp(join(folder, 'job-'));
  const session = openSession({ pack: 'evaluation', definition: predict, scratch });
  const path = (file: string) => (file.startsWith('/') ? file : join(root, file));
  const files = {
    [parameters.model]: path(`${model}/model.onnx`),
    [parameters.modelCard]: path(`${model}/model.json`),
    [parameters.data]: path(data),
  };
  const lines: string[] = [];
  const hooks = { onLog: ({ text }: { text: string }) => void lines.push(text), onProgress: () => {} };
  const input = { parameters, files };
  return {
    session,
    lines,
    validate: () => session.validate(input, hooks),
    execute: () => session.execute(input, hooks),
  };
}

test('a prediction in a process of its own hands over the reference result', async () => {
  const { session, validate, execute } = await start('examples/diabetes', 'examples/diabetes/score.csv');
  await validate();
  const { output, files } = await execute();
  expect(output).toMatchObject({ model: 'diabetes', rows: 133 });
  expect(files).toMatchObject([{ name: 'predictions.csv', mediaType: 'text/csv' }]);
  expect((await readFile(files[0]?.path ?? '', 'utf8')).split('\n')).toHaveLength(135);
  await session.kill();
});

test('a stop ends an inference that runs, and its process', async () => {
  const { session, lines, validate, execute } = await start('tests/fixtures/models/slow');
  await validate();
  const failure = execute().catch((error: unknown) => error);
  await waitFor(() => lines.some((line) => line.includes('is loaded')), { what: 'the loaded model' });
  await session.stop(300);
  expect(await failure).toMatchObject({ code: 'canceled', retryable: false });
  expect(await isAlive(session.pid ?? 0)).toBe(false);
});

test('a model that fails while it runs fails for good', async () => {
  const { session, validate, execute } = await start('tests/fixtures/models/failing');
  await validate();
  await expect(execute()).rejects.toMatchObject({
    code: 'execution-failed',
    retryable: false,
    message: expect.stringContaining('Reshape'),
  });
  await session.kill();
});

test('a wrong cell is told with its line and column, and is not retried', async () => {
  const data = join(folder, 'wrong.csv');
  const text = await readFile(join(root, 'examples/diabetes/score.csv'), 'utf8');
  const lines = text.split('\n');
  lines[2] = (lines[2] ?? '').replace(/^[^,]*/, 'old');
  await writeFile(data, lines.join('\n'));
  const { session, validate } = await start('examples/diabetes', data);
  await expect(validate()).rejects.toMatchObject({
    code: 'invalid-input',
    retryable: false,
    details: [{ pointer: 'line 3, column age', detail: "'old' is not a number" }],
  });
  await session.kill();
});
