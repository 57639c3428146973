import { isErrorCode } from '@perdure/job/errors';
import { z } from 'zod';
import type { StageInput, StageName } from './contract.ts';

/** What the child is started with, as JSON in its only argument. */
export type ChildArgument = { agentPid: number; pack: string };

/** Agent → child, over the IPC channel. `mark` is what the child writes to stdout and stderr when the stage has ended, so that no line is missed. */
export type Request =
  | ({
      type: 'stage';
      stage: StageName;
      functionName: string;
      functionVersion: string;
      scratch: string;
      mark: string;
    } & StageInput)
  | { type: 'stop' };

/** The descriptor on which the child reports: lines of JSON, written synchronously, so that a flood holds up its writer and a crash loses nothing. */
export const reportDescriptor = 3;

const amount = z.number().nonnegative();

/** Child → agent. Parsed like anything from outside: the function's own code could write there as well. */
const Report = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('log'),
    at: z.string().max(40),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    text: z.string(),
  }),
  z.object({
    type: z.literal('progress'),
    done: amount,
    total: amount.nullable(),
    unit: z.string().max(50).nullable(),
    message: z.string().max(500).nullable(),
  }),
  z.object({
    type: z.literal('done'),
    output: z.record(z.string(), z.json()).nullable(),
    files: z.array(z.object({ name: z.string(), mediaType: z.string(), path: z.string(), size: z.number() })),
  }),
  z.object({
    type: z.literal('failed'),
    code: z.string().refine(isErrorCode),
    message: z.string(),
    retryable: z.boolean(),
    details: z.array(z.object({ pointer: z.string(), detail: z.string() })),
    /** The process ends itself after this. */
    last: z.boolean(),
  }),
]);
export type Report = z.output<typeof Report>;

export function parseReport(line: string): Report | undefined {
  try {
    return Report.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
