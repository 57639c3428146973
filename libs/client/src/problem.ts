import type { ErrorCode, ErrorDetail, JobError, Problem } from './generated.ts';

/** Thrown when the API answers with a problem (RFC 9457). `code` is stable, and for programs; the message is for people. */
export class PerdureProblem extends Error {
  override readonly name: string = 'PerdureProblem';
  readonly code: ErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** The places that are wrong, as JSON Pointers. */
  readonly errors: readonly ErrorDetail[];
  /** Find the request in the logs of the API by this. */
  readonly traceId: string;
  /** The whole problem, as it came. */
  readonly problem: Problem;
  /** How many seconds the API asks to wait before the next try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Problem, retryAfterSeconds?: number) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.errors = problem.errors ?? [];
    this.traceId = problem.traceId;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Thrown when the result is asked for of a job that ended without one. */
export class JobNotCompleted extends PerdureProblem {
  override readonly name = 'JobNotCompleted';
  /** Why; its code is `canceled` where that was asked for. */
  readonly error: JobError | undefined;

  constructor(problem: Problem) {
    super(problem);
    this.error = problem.error;
  }
}

/** Thrown when no answer came, or one that no Perdure gives: `cause` says what happened instead. */
export class PerdureUnreachable extends Error {
  override readonly name = 'PerdureUnreachable';
  /** The HTTP status, where something answered, such as a proxy. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    options: { cause?: unknown; status?: number; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The error that an answer from 400 on stands for. */
export async function errorOf(response: Response): Promise<PerdureProblem | PerdureUnreachable> {
  const text = await response.text();
  const retryAfterSeconds = secondsIn(response.headers.get('retry-after'));
  const problem = problemIn(response, text);
  if (problem?.code === 'job-not-completed') return new JobNotCompleted(problem);
  if (problem !== undefined) return new PerdureProblem(problem, retryAfterSeconds);
  const { status } = response;
  return new PerdureUnreachable(`${response.url} answered ${status}, and not as Perdure does`, {
    status,
    retryAfterSeconds,
    cause: text.slice(0, 1_000),
  });
}

function problemIn(response: Response, text: string): Problem | undefined {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return undefined;
  try {
    const problem = JSON.parse(text) as Problem;
    return typeof problem.code === 'string' && typeof problem.detail === 'string' ? problem : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. */
export function secondsIn(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1_000);
}
