import { defineFunction } from '@perdure/functions';
import { z } from 'zod';

/** As many functions as a large pack may have, each with schemas of its own, and nothing else that takes memory. */
export const functions = Array.from({ length: 50 }, (_, index) =>
  defineFunction({
    name: `generated-${index + 1}`,
    version: '1.0.0',
    description: `Returns text number ${index + 1} with its words counted.`,
    input: z.strictObject({
      text: z.string().max(10_000).describe('What to count'),
      numbers: z.array(z.number()).max(100).optional().describe('Of no use'),
      times: z
        .int()
        .min(1)
        .max(index + 1)
        .default(1)
        .describe('Of no use either'),
    }),
    output: z.strictObject({ text: z.string(), words: z.int() }),
    isolation: 'process',
    execute: ({ parameters: { text } }) => ({ text, words: text.split(' ').length }),
  }),
);
