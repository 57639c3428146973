/** A moment of a query in UTC, with all its microseconds. PostgreSQL takes fewer zones than RFC 3339. */
export function utc(moment: string | undefined): string | undefined {
  if (moment === undefined) return undefined;
  const [, fraction = ''] = /\.(\d+)/.exec(moment) ?? [];
  return `${new Date(moment).toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}
