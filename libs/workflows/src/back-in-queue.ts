/** Thrown when the job has gone back to PENDING: the next attempt begins at the claim. */
export class BackInQueue extends Error {
  override readonly name = 'BackInQueue';
}
