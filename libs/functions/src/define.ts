import { patterns } from '@perdure/job/ids';
import { hidesModel } from '@perdure/job/secrets';
import type { Tool } from '@perdure/job/queues';
import type { z } from 'zod';
import type { Context } from './context.ts';
import { schemaOf } from './catalogue.ts';
import type { CodeDefinition, FunctionLimits, Output, RetryPolicy } from './definition.ts';
import { parseParameters } from './parse.ts';

type Returned<O extends Output> = O extends z.ZodType ? z.input<O> : null | void;

type Declaration<I extends z.ZodObject, O extends Output> = {
  /** Lower case, digits, dashes. */
  name: string;
  version: string;
  description: string;
  input: I;
  /** The JSON that `execute` returns, or null when it returns files only. */
  output: O;
  /** The name of the file that is the declared result; without it, the output is. */
  result?: string;
  /** May hand over files. */
  files?: boolean;
  tool?: Tool;
  operatingSystems?: string[];
  /** Without it a failure is final. */
  retry?: RetryPolicy;
  /** Not for `inline`. */
  limits?: FunctionLimits;
  /** `inline` only for what ends within milliseconds and never blocks: it shares the agent's event loop. */
  isolation: 'process' | 'inline';
  /** The check that goes deeper than the schema (files, models). Throws `InputError`. */
  /** A check deeper than the schema. It leaves nothing behind for `execute`: a rerun may go without it. */
  validate?: (context: Context<z.output<I>>) => Promise<void> | void;
  execute: (context: Context<z.output<I>>) => Promise<Returned<O>> | Returned<O>;
};

/**
 * Declares a function that agents can run. The types of `ctx.parameters` and of the returned value follow from `input` and `output`.
 * Throws at once when the declaration itself is wrong.
 */
export function defineFunction<I extends z.ZodObject, O extends Output>(
  declaration: Declaration<I, O>,
): CodeDefinition {
  const { name, version, input, validate, execute, retry = { maximumAttempts: 1 } } = declaration;
  if (!patterns.name.test(name))
    throw new Error(`a function's name is lower case, digits and dashes; got '${name}'`);
  if (!patterns.version.test(version)) throw new Error(`version of ${name} is like 1.0.0; got '${version}'`);
  if (declaration.result !== undefined && !declaration.files)
    throw new Error(`${name} declares a result file, so it needs files: true`);
  if (!(Number.isInteger(retry.maximumAttempts) && retry.maximumAttempts >= 1)) {
    throw new Error(`${name}: retry.maximumAttempts is a whole number from 1`);
  }
  if (hidesModel(schemaOf(input, 'input')))
    throw new Error(`${name} marks model as a secret, and jobs are found by it`);
  const typed = (context: Context): Context<z.output<I>> => ({
    ...context,
    parameters: parseParameters(input, context.parameters),
  });
  return {
    name,
    version,
    description: declaration.description,
    input,
    output: declaration.output,
    result: declaration.result ?? null,
    files: declaration.files ?? false,
    tool: declaration.tool ?? null,
    operatingSystems: declaration.operatingSystems ?? [],
    retry,
    limits: declaration.limits ?? {},
    isolation: declaration.isolation,
    ...(validate && { validate: async (context: Context) => validate(typed(context)) }),
    execute: async (context) => execute(typed(context)),
  };
}
