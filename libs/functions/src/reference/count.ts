import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { defineFunction } from '../define.ts';

export const count = defineFunction({
  name: 'count',
  version: '1.0.0',
  description: 'Counts, with a log line and progress at each number.',
  input: z.strictObject({
    to: z.int().min(0).max(1_000_000).describe('The last number'),
    everyMs: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(1_000)
      .describe('The pause before each number, in milliseconds'),
  }),
  output: z.strictObject({ counted: z.int() }),
  retry: { maximumAttempts: 3, initialIntervalMs: 500 },
  isolation: 'process',
  async execute({ parameters: { to, everyMs }, log, progress, signal }) {
    progress({ done: 0, total: to, unit: 'numbers' });
    for (let number = 1; number <= to; number++) {
      await pause(everyMs, undefined, { signal });
      log.info(`${number} of ${to}`);
      progress({ done: number, total: to, unit: 'numbers' });
    }
    return { counted: to };
  },
});
