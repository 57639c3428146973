import { statfs } from 'node:fs/promises';
import { inspect } from 'node:util';
import { FatalError, InputError, isOutOfSpace, OutputError } from '@perdure/functions';
import { type ErrorCode, type ErrorDetail, PerdureError } from '@perdure/job/errors';

/** A failure as it travels from the child process. */
export type FailureReport = { code: ErrorCode; message: string; retryable: boolean; details: ErrorDetail[] };

/** Thrown when a stage of a function does not end well. `retryable`: another try may, as the function's retry policy says. */
export class FunctionFailure extends PerdureError {
  readonly retryable: boolean;

  constructor({ code, message, retryable, details }: FailureReport, options: { cause?: unknown } = {}) {
    super(code, message, { details, ...options });
    this.retryable = retryable;
  }
}

/** A file system with less room than this is full. */
const fullBelowBytes = 1024 * 1024;

export const canceled: FailureReport = {
  code: 'canceled',
  message: 'The function was stopped',
  retryable: false,
  details: [],
};

/** What a thrown value means for the job. After an abort every error is the abort's. */
export function failureFrom(error: unknown, { aborted }: { aborted: boolean }): FailureReport {
  if (aborted) return canceled;
  if (isOutOfSpace(error)) return unfit(messageOf(error));
  if (error instanceof InputError || error instanceof OutputError || error instanceof FatalError) {
    return { code: error.code, message: error.message, retryable: false, details: [...error.details] };
  }
  return { code: 'execution-failed', message: messageOf(error), retryable: true, details: [] };
}

/** The function used more than it may. It would do so again. */
export function overLimit(message: string): FailureReport {
  return { code: 'resource-limit', message, retryable: false, details: [] };
}

/** A process that ends badly on a full disk says little of its function: the job is to go on elsewhere. */
export async function unlessDiskIsFull(failure: FailureReport, scratch: string): Promise<FailureReport> {
  const { bavail, bsize } = await statfs(scratch).catch(() => ({ bavail: Infinity, bsize: 1 }));
  return bavail * bsize < fullBelowBytes ? unfit(failure.message) : failure;
}

function unfit(message: string): FailureReport {
  return {
    code: 'agent-unfit',
    message: `The agent has no room left: ${message}`,
    retryable: false,
    details: [],
  };
}

export function messageOf(error: unknown): string {
  if (!isErrorLike(error)) return `a value that is no Error was thrown: ${inspect(error).slice(0, 500)}`;
  return error.message || error.name;
}

/** Not `instanceof`: errors of other realms (vm contexts) count as well. */
export function isErrorLike(error: unknown): error is Error {
  return (
    typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    typeof error.message === 'string' &&
    'name' in error
  );
}
