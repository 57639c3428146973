import { expect, test } from '@jest/globals';
import { terminalStatuses as those } from '@perdure/job/status';
import { readFile } from 'node:fs/promises';
import { terminalStatuses } from './status.ts';
import { generate, generatedFile } from './testing/generate.ts';

test('the types are those of the API as it is now; `npm run generate` writes them anew', async () => {
  expect(await readFile(generatedFile, 'utf8')).toBe(await generate());
});

test('a job ends in the statuses that the service says', () => {
  expect([...terminalStatuses].sort()).toEqual([...those].sort());
});
