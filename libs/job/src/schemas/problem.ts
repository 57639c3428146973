import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../errors.ts';

const code = z
  .enum(errorCodes as [ErrorCode, ...ErrorCode[]])
  .describe('What went wrong, for programs; docs/errors.md explains each')
  .meta({ id: 'ErrorCode' });

export const ErrorDetail = z
  .strictObject({
    pointer: z
      .string()
      .describe(
        'A JSON Pointer (RFC 6901) into the body, or `query/…`, `path/…`, `header/…`, or a place in a file',
      )
      .meta({ examples: ['/parameters/seconds'] }),
    detail: z.string().describe('What is wrong there'),
  })
  .meta({ id: 'ErrorDetail', description: 'One place that is wrong' });

/** The failure of a job as data: the same fields as a problem. */
export const JobError = z
  .strictObject({
    code,
    title: z.string().describe('The meaning of the code, the same for every occurrence'),
    detail: z.string().describe('What happened this time'),
    errors: z.array(ErrorDetail).optional().describe('The places that are wrong, where they can be named'),
  })
  .meta({ id: 'JobError', description: 'Why a job failed' });

/** RFC 9457. Not strict: some problems carry more, such as `checks` of a server that is not ready. */
export const Problem = z
  .looseObject({
    type: z
      .string()
      .describe('A URI that identifies the kind of problem')
      .meta({ examples: ['urn:perdure:error:not-found'] }),
    title: z.string().describe('The meaning of the code, the same for every occurrence'),
    status: z.int().min(400).max(599).describe('The HTTP status'),
    detail: z.string().describe('What happened this time, and the remedy'),
    instance: z.string().describe('The path that was asked for'),
    code,
    errors: z.array(ErrorDetail).optional().describe('The places that are wrong'),
    traceId: z.string().describe('Find the request in the logs by this; also in the header X-Request-Id'),
    error: JobError.optional().describe('`job-not-completed` only: why the job ended without a result'),
  })
  .meta({ id: 'Problem', description: 'Every answer from 400 on (RFC 9457)' });
export type Problem = z.output<typeof Problem>;
