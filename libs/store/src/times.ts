/**
 * PostgreSQL's text of a timestamptz (`2026-11-22 06:00:00.1234+01`) as RFC 3339 in UTC with microseconds. JavaScript's
 * own dates end at milliseconds.
 */
export function microseconds(text: string): string {
  const [, day = '', time = '', fraction = '', offset = ''] =
    /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-]\S+)$/.exec(text) ?? [];
  const digits = fraction.padEnd(6, '0');
  if (offset === '+00') return `${day}T${time}.${digits}Z`;
  const minutes = offset.length === 3 ? `${offset}:00` : offset;
  return `${new Date(`${day}T${time}${minutes}`).toISOString().slice(0, 19)}.${digits}Z`;
}

/** Cuts `…00.123456Z` to `…00.123Z`. */
export function milliseconds(at: string): string;
export function milliseconds(at: string | null): string | null;
export function milliseconds(at: string | null): string | null {
  return at === null ? null : `${at.slice(0, 23)}Z`;
}
