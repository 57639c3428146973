import { z } from 'zod';
import { defineFunction } from '../define.ts';

export const echo = defineFunction({
  name: 'echo',
  version: '1.0.0',
  description: 'Returns its parameters.',
  input: z.looseObject({}),
  output: z.strictObject({ echo: z.looseObject({}) }),
  isolation: 'inline',
  execute: ({ parameters }) => ({ echo: parameters }),
});
