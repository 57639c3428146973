import { type ErrorCode, PerdureError } from '@perdure/job/errors';

/** For a request of which one place is to blame. */
export function refusal(code: ErrorCode, pointer: string, detail: string, message = detail): PerdureError {
  return new PerdureError(code, message, { details: [{ pointer, detail }] });
}

/** The same where the place itself is wrong: `detail` goes on after its name, as in '/id is missing'. */
export function invalid(pointer: string, detail: string): PerdureError {
  return refusal('invalid-request', pointer, detail, `${pointer} ${detail}`);
}
