import { defineFunction } from '@perdure/functions';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** A function whose job runs through every stage as an activity: it has a check of its own, and a file to upload. */
const allStages = defineFunction({
  name: 'all-stages',
  version: '1.0.0',
  description: 'Does nothing in every stage.',
  input: z.looseObject({}),
  output: z.strictObject({}),
  files: true,
  result: 'result.txt',
  isolation: 'inline',
  validate: () => undefined,
  async execute({ scratch, addFile }) {
    await mkdir(scratch, { recursive: true });
    const path = join(scratch, 'result.txt');
    await writeFile(path, 'done');
    addFile({ name: 'result.txt', mediaType: 'text/plain', path });
    return {};
  },
});

export const functions = [allStages];
