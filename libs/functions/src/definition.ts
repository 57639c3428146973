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

/** What the processes of a function may use; what is not said here is as the agent's operator says. */
export type FunctionLimits = {
  /** Of all its processes together. */
  memoryMiB?: number;
  /** Of its scratch folder, with the files that were fetched for it. */
  scratchMiB?: number;
};

type Described = {
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
  limits: FunctionLimits;
  /** Absent: nothing to check beyond the schema, so that a job needs no stage for it. */
  validate?: (context: Context) => Promise<void>;
};

/** A function with code of its own: what it is given is parsed before the author's code gets it. */
export type CodeDefinition = Described & {
  isolation: 'process' | 'inline';
  /** Returns what the author's code returned; `parseOutput` judges it. */
  execute: (context: Context) => Promise<unknown>;
};

/** A program that the agent's operator has declared. */
export type CommandDefinition = Described & {
  isolation: 'command';
  program: string;
  /** All of its environment but TMPDIR. */
  env: Readonly<Record<string, string>>;
  /** Globs in the scratch folder: which files are the result. */
  outputs: readonly string[];
  timeoutSeconds: number | undefined;
  /** What the program is started with. Throws `InputError`. */
  argumentsFor: (given: Pick<Context, 'parameters' | 'files'>) => string[];
};

/** A function as the agent sees it. */
export type FunctionDefinition = CodeDefinition | CommandDefinition;
