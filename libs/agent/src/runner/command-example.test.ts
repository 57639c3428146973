import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test as anywhere } from '@jest/globals';
import { loadWorkerConfig } from '@perdure/config/worker';
import { commandFunctions } from '@perdure/functions/command';
import { manageSessions, start } from './testing/sessions.ts';

manageSessions();

/** The example needs Python, which Perdure does not. */
const test = await promisify(execFile)('python3', ['--version']).then(
  () => anywhere,
  () => anywhere.skip,
);

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const data = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';
const { path, commands, limits } = loadWorkerConfig({
  DATABASE_URL: 'postgres://db/perdure',
  STORAGE_URL: 'file:/var/lib/perdure',
  AGENT_CONFIG: join(root, 'examples/commands/agent.yaml'),
}).agent.file;

async function startExample() {
  const [definition] = commandFunctions(commands, { file: path, environment: {} });
  const session = await start('summarise-csv', { pack: 'command', definition, limits });
  return { ...session, input: join(session.scratch, 'data.csv') };
}

test('the example of a command summarises a CSV file', async () => {
  const { execute, texts, input } = await startExample();
  await copyFile(join(root, 'examples/diabetes/score.csv'), input);
  const { files } = await execute({ data }, { [data]: input });
  expect(files).toMatchObject([{ name: 'summary.json', mediaType: 'application/json' }]);
  const { rows, columns, numeric } = JSON.parse(await readFile(files[0]?.path ?? '', 'utf8'));
  expect([rows, columns.length, Object.keys(numeric).length]).toEqual([133, 10, 10]);
  expect(numeric.age).toMatchObject({ count: 133, min: expect.any(Number), mean: expect.any(Number) });
  expect(texts()).toEqual(['reading', 'done: 133 rows, 10 numeric columns']);
});

test('it tells numbers from texts, and takes another delimiter', async () => {
  const { execute, input } = await startExample();
  await writeFile(input, '\ufeffname;size\n"a;b";1\nc;\nd;3.5\n');
  const { files } = await execute({ data, delimiter: ';' }, { [data]: input });
  expect(JSON.parse(await readFile(files[0]?.path ?? '', 'utf8'))).toEqual({
    rows: 3,
    columns: ['name', 'size'],
    numeric: { size: { count: 2, min: 1, max: 3.5, mean: 2.25 } },
  });
});

test('it fails with the line that is wrong', async () => {
  const { execute, input } = await startExample();
  await writeFile(input, 'a,b\n1,2\n3\n');
  await expect(execute({ data }, { [data]: input })).rejects.toMatchObject({
    code: 'execution-failed',
    message: expect.stringContaining('line 3: 1 cells, the header has 2'),
  });
});
