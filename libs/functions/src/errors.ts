import { type ErrorCode, type ErrorDetail, PerdureError } from '@perdure/job/errors';

export type InputErrorCode = Extract<ErrorCode, 'invalid-parameters' | 'invalid-input' | 'invalid-model'>;

/** Thrown when what the job was given cannot be used. Never retried: the same input would fail again. */
export class InputError extends PerdureError {
  constructor(
    message: string,
    options: { code?: InputErrorCode; details?: readonly ErrorDetail[]; cause?: unknown } = {},
  ) {
    super(options.code ?? 'invalid-input', message, options);
  }
}

/** Thrown when a function returned something that its own declaration refuses. Never retried. */
export class OutputError extends PerdureError {
  constructor(message: string, options: { details?: readonly ErrorDetail[]; cause?: unknown } = {}) {
    super('output-invalid', message, options);
  }
}

/** Thrown when the function failed and would fail again. Never retried. */
export class FatalError extends PerdureError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('execution-failed', message, options);
  }
}

/** Thrown when another try may succeed; so is every error of another class. Retried as the function's `retry` says. */
export class RetryableError extends PerdureError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('execution-failed', message, options);
  }
}

/** Thrown when what an operator has declared cannot be used. Its message names every problem, its place and the remedy. */
export class DeclarationError extends Error {
  override readonly name = 'DeclarationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['These declarations cannot be used:', ...problems.map((one) => `  - ${one}`)].join('\n'));
    this.problems = problems;
    // Whoever reads it is to mend the declaration, not the program.
    this.stack = this.message;
  }
}

/** Whether an error, or what caused it, says that the disk or a quota is full. */
export function isOutOfSpace(error: unknown): boolean {
  for (let one = error, depth = 0; typeof one === 'object' && one !== null && depth < 10; depth++) {
    if ('code' in one && (one.code === 'ENOSPC' || one.code === 'EDQUOT')) return true;
    one = 'cause' in one ? one.cause : undefined;
  }
  return false;
}
