import { expect, test } from '@jest/globals';
import { filesIn } from '@perdure/job/files-in';
import { describeFunction } from './catalogue.ts';
import { isPackName, loadPack, packNames } from './packs.ts';

async function describeAll() {
  const packs = await Promise.all(packNames.map(loadPack));
  return packs.flat().map(describeFunction);
}

test('every function of every pack can be described', async () => {
  const described = await describeAll();
  expect(described.map(({ name, version }) => `${name}@${version}`).sort()).toEqual([
    'count@1.0.0',
    'echo@1.0.0',
    'fail@1.0.0',
    'predict@1.0.0',
    'sleep@1.0.0',
  ]);
  for (const { inputSchema, description } of described) {
    expect(inputSchema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
    });
    expect(description).not.toBe('');
  }
});

test('parameters with a default need not be sent, unknown ones are refused', async () => {
  const count = (await describeAll()).find(({ name }) => name === 'count');
  expect(count?.inputSchema).toMatchObject({ required: ['to'], additionalProperties: false });
});

test('file parameters are found in the schema', async () => {
  const predict = (await describeAll()).find(({ name }) => name === 'predict');
  const parameters = { model: 'a', modelCard: 'b', data: 'c', batchSize: 10 };
  expect(filesIn(predict?.inputSchema, parameters)).toEqual([
    { pointer: '/model', fileId: 'a' },
    { pointer: '/modelCard', fileId: 'b' },
    { pointer: '/data', fileId: 'c' },
  ]);
  expect(predict?.result).toBe('predictions.csv');
});

test('a pack that does not exist is named', async () => {
  expect(isPackName('constructor')).toBe(false);
  await expect(loadPack('nonsense')).rejects.toThrow("no pack 'nonsense'; known are reference, evaluation");
});
