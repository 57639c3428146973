import { z } from 'zod';
import { defineFunction } from '../define.ts';
import { FatalError, RetryableError } from '../errors.ts';

export const fail = defineFunction({
  name: 'fail',
  version: '1.0.0',
  description: 'Fails. With retryable: true it is tried three times.',
  input: z.strictObject({
    message: z.string().max(1_000).default('failed as asked').describe('What the failure says'),
    retryable: z.boolean().default(false).describe('Whether another try may be made'),
  }),
  output: null,
  retry: { maximumAttempts: 3, initialIntervalMs: 200, backoffCoefficient: 2 },
  isolation: 'process',
  execute({ parameters: { message, retryable } }) {
    throw retryable ? new RetryableError(message) : new FatalError(message);
  },
});
