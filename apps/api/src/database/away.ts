/** Codes of the operating system and of PostgreSQL (classes 08, 53, 58, and 57P0x, 3D000) that mean: try again later. */
const away =
  /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|08\w{3}|53\w{3}|3D000|57P0\d|58\w{3})$/;

/** What the driver throws without a code. */
const words =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after|driver has already been destroyed)/;

/** True when the database itself is away, or so busy that it refuses: the request may be repeated. */
export function isDatabaseAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && typeof error.code === 'string' && away.test(error.code)) return true;
  return 'message' in error && typeof error.message === 'string' && words.test(error.message);
}
