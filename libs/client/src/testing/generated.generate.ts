import { test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { generate, generatedFile } from './generate.ts';

test('writes the types of the client anew', async () => {
  await writeFile(generatedFile, await generate());
});
