/**
 * The one registry of error codes: what an API answer's `code` and a failed job's `error.code` may be.
 * `docs/errors.md` lists the same codes; a test compares them.
 */
export const errors = {
  // What an HTTP request can meet.
  'malformed-request': 'The request cannot be read',
  'invalid-request': 'The request breaks the schema',
  unauthenticated: 'A valid API key or token is needed',
  forbidden: 'The caller may not do that',
  'signed-url-refused': 'The signed URL does not work, or no longer',
  'not-found': 'There is no such thing here',
  gone: 'The job is no longer kept',
  'method-not-allowed': 'The path exists, this method does not',
  'payload-too-large': 'The body is larger than the limit',
  'unsupported-media-type': 'The body is of a kind that is not accepted here',
  'not-acceptable': 'None of the kinds asked for can be served',
  'precondition-failed': 'The resource has changed since the revision named in If-Match',
  'range-not-satisfiable': 'The range lies outside the file',
  'digest-mismatch': 'The bytes received do not match the digest announced',
  'upload-incomplete': 'The upload ended before all bytes had come',
  'upload-conflict': 'The upload goes on at another place',
  'unknown-function': 'No agent and no administrator has registered this function',
  'unknown-pool': 'There is no such pool',
  'unknown-agent': 'There is no such agent',
  'incapable-agent': 'The agent does not offer this function',
  'agent-not-ready': 'The agent takes no further jobs now',
  'unknown-file': 'There is no such file',
  'id-taken': 'The id is already in use',
  'last-admin': 'The tenant would be left without an admin',
  'managed-elsewhere': 'The identity provider decides this',
  'idempotency-key-reused': 'The idempotency key was used with another body',
  'request-in-flight': 'The first request with this idempotency key is still being answered',
  'too-many-requests': 'More requests than the key or its tenant may make',
  'too-many-streams': 'The key has too many streams open',
  'job-not-finished': 'The job has no result yet',
  'job-not-completed': 'The job ended without a result',
  'transition-refused': 'The state of the job does not allow this',
  unavailable: 'A server that is needed does not answer',
  'internal-error': 'An unexpected error',

  // What can end a job as FAILED.
  'invalid-start': 'The start argument of the workflow cannot be understood',
  'invalid-parameters': 'The parameters break the schema of the function',
  'invalid-input': 'An input file cannot be used',
  'invalid-model': 'The model file cannot be used',
  'execution-failed': 'The function failed',
  'process-exited': 'The process of the function ended before it answered',
  'output-invalid': 'The function returned something that its own schema refuses',
  'resource-limit': 'The function used more time, memory or disk than it may',
  'upload-failed': 'The result could not be stored',
  'agent-lost': 'Too many agents were lost while they ran the job',
  'queue-time-limit': 'No agent took the job in time',
  'run-time-limit': 'The job ran longer than its limit',
  'total-time-limit': 'The job took longer than its limit, from submit to end',
  terminated: 'The workflow was terminated from outside',
  'workflow-timed-out': 'The workflow ran into a time limit of Temporal',
  'workflow-failed': 'The workflow failed outside the rules of a job',
  'workflow-gone': 'Temporal no longer knows the workflow',

  // What makes an agent let go of a job, or its reports be refused.
  'stale-attempt': 'Another attempt has taken over',
  'given-back': 'The agent gave the job back',
  'agent-unfit': 'The agent has no room left to work',
  'stage-interrupted': 'An operator has paused or reset the stage in Temporal',
  canceled: 'The job was canceled',
} as const;

export type ErrorCode = keyof typeof errors;

export const errorCodes = Object.keys(errors).filter(isErrorCode);

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errors, text);
}

/** One place that is wrong: `pointer` is a JSON Pointer (RFC 6901) into the body, or names a header, query or path parameter or file position. */
export type ErrorDetail = { pointer: string; detail: string };

/**
 * The one failure class. Thrown when something expected goes wrong: its message is for the user, names the field and the remedy,
 * and never carries a secret.
 */
export class PerdureError extends Error {
  override readonly name = 'PerdureError';
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: readonly ErrorDetail[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? [];
  }
}

/** The failure of a job as data: same fields as a problem (RFC 9457), `errors` where places can be named. */
export type JobError = { code: ErrorCode; title: string; detail: string; errors?: ErrorDetail[] };

/** The longest text an error keeps: a failure is data of the job, not a log. */
export const maxDetailLength = 4_000;

export function jobError(code: ErrorCode, detail: string, details: readonly ErrorDetail[] = []): JobError {
  return {
    code,
    title: errors[code],
    detail: clip(detail, maxDetailLength),
    ...(details.length > 0
      ? { errors: details.slice(0, 100).map((one) => ({ ...one, detail: clip(one.detail, 500) })) }
      : {}),
  };
}

/** Shortens text by code points, and removes what PostgreSQL cannot store (NUL, lone surrogates). */
export function clip(text: string, length: number): string {
  const clean = text.replaceAll('\u0000', '\uFFFD').toWellFormed();
  return clean.length <= length ? clean : `${clean.slice(0, length - 1).toWellFormed()}…`;
}
