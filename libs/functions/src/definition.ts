import type { Tool } from '@perdure/job/queues';
import type { z } from 'zod';
import type { Context } from './context.ts';

/** How often, and after what pauses, a function is tried again on the same agent when it fails in a way that may pass. */
export type RetryPolicy = {
  /** Tries in all; 1 means no second one. */
  maximumAttempts: number;
  initialIntervalMs?: number;
  backoffCoefficient?: number;
  maximumIntervalMs?: number;
};

/** The form of the JSON that a function returns; null when it returns none. */
export type Output = z.ZodType<unknown, Record<string, unknown>> | null;

/** A function as the agent sees it: what it is given is parsed before the author's code gets it. */
export type FunctionDefinition = {
  name: string;
  version: string;
  description: string;
  input: z.ZodObject;
  output: Output;
  result: string | null;
  files: boolean;
  tool: Tool | null;
  operatingSystems: string[];
  retry: RetryPolicy;
  isolation: 'process' | 'inline';
  /** Absent: nothing to check beyond the schema, so that a job needs no stage for it. */
  validate?: (context: Context) => Promise<void>;
  /** Returns what the author's code returned; `parseOutput` judges it. */
  execute: (context: Context) => Promise<unknown>;
};
