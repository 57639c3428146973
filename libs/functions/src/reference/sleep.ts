import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { defineFunction } from '../define.ts';

const week = 7 * 24 * 3600;

export const sleep = defineFunction({
  name: 'sleep',
  version: '1.0.0',
  description: 'Waits, then returns how long it waited.',
  input: z.strictObject({ seconds: z.number().min(0).max(week).describe('How long to wait') }),
  output: z.strictObject({ sleptSeconds: z.number() }),
  isolation: 'process',
  async execute({ parameters: { seconds }, signal }) {
    await pause(seconds * 1_000, undefined, { signal });
    return { sleptSeconds: seconds };
  },
});
