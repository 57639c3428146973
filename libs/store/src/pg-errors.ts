import pg from 'pg';

/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
export const sqlStates = {
  queryCanceled: '57014',
  lockNotAvailable: '55P03',
  checkViolation: '23514',
  /** Also that of a row which row-level security hides, or forbids to be written. */
  insufficientPrivilege: '42501',
  /** Also that of bytes that are no longer stored. */
  ioError: '58030',
} as const;

export function hasSqlState(error: unknown, state: string): boolean {
  return error instanceof pg.DatabaseError && error.code === state;
}

/**
 * True when the server refused what it was given, so that the same statement with other rows may succeed. False when the
 * server, or the way to it, is in trouble (classes 08, 53, 57, 58, XX), when another transaction was in the way (40), and of everything that
 * is no answer of the server.
 */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code !== undefined && !/^(08|40|53|57|58|XX)/.test(error.code)
  );
}
