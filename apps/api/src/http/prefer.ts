/** The longest that an answer is held back, in seconds. */
export const maxWaitSeconds = 60;

/** `Prefer: wait=N` (RFC 7240), cut to what is offered. What is not understood is ignored, as the RFC asks. */
export function preferredWait(header: string | string[] | undefined): number | undefined {
  const parts = [header ?? []].flat().join(',').split(',');
  for (const part of parts) {
    const seconds = /^\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(;.*)?$/i.exec(part)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), maxWaitSeconds);
  }
  return undefined;
}
