import { type ErrorCode, type ErrorDetail, isErrorCode, type JobError, jobError } from '@perdure/job/errors';
import { isJsonObject } from '@perdure/job/json';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';

/** Why a stage did not bring what it should. */
export type Setback =
  | { kind: 'lost'; code: ErrorCode; message: string }
  | { kind: 'given-back'; message: string }
  | { kind: 'out-of-time' }
  | { kind: 'failed'; error: JobError };

/** Reads the failure of a stage activity. What is no failure of an activity is a mistake in this code, and is thrown on. */
export function setbackOf(failure: unknown): Setback {
  if (!(failure instanceof ActivityFailure)) throw failure;
  const { cause } = failure;
  if (cause instanceof TimeoutFailure) return timeout(cause);
  if (cause instanceof ApplicationFailure) return application(cause);
  // Canceled without our asking: an operator's doing. The job is to run all the same.
  return lost(cause?.message ?? failure.message);
}

function lost(message: string): Setback {
  return { kind: 'lost', code: 'agent-lost', message };
}

function timeout(failure: TimeoutFailure): Setback {
  switch (failure.timeoutType) {
    case 'HEARTBEAT':
      return lost('the agent stopped beating');
    case 'SCHEDULE_TO_START':
      return lost('the agent did not begin');
    default:
      return { kind: 'out-of-time' };
  }
}

function application({ message, type, details }: ApplicationFailure): Setback {
  // An operator has reset the stage, and its policy has no other try.
  if (type === 'given-back' || type === 'stage-interrupted') return { kind: 'given-back', message };
  if (type === 'agent-lost' || type === 'stale-attempt') return lost(message);
  if (type === 'agent-unfit') return { kind: 'lost', code: type, message };
  const code: ErrorCode = typeof type === 'string' && isErrorCode(type) ? type : 'execution-failed';
  return { kind: 'failed', error: jobError(code, message, placesIn(details?.[0])) };
}

function placesIn(value: unknown): ErrorDetail[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) =>
    isJsonObject(one) && typeof one['pointer'] === 'string' && typeof one['detail'] === 'string'
      ? [{ pointer: one['pointer'], detail: one['detail'] }]
      : [],
  );
}
