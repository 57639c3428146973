import { PerdureError } from '@perdure/job/errors';

/** The kind that `Accept` likes best among `offered` (RFC 9110, 12.5.1); the first where nothing is said. Throws 'not-acceptable'. */
export function preferredType<Type extends string>(
  header: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type {
  if (header === undefined || header.trim() === '') return offered[0];
  const ranges = header.split(',').map(rangeOf);
  const ranked = offered
    .map((type) => ({ type, quality: qualityOf(type, ranges) }))
    .filter(({ quality }) => quality > 0);
  const best = ranked.reduce<(typeof ranked)[number] | undefined>(
    (a, b) => (a && a.quality >= b.quality ? a : b),
    undefined,
  );
  if (!best) throw new PerdureError('not-acceptable', `Served here: ${offered.join(', ')}`);
  return best.type;
}

type Range = { type: string; quality: number };

function rangeOf(part: string): Range {
  const [type = '', ...parameters] = part.split(';').map((one) => one.trim().toLowerCase());
  const quality = parameters
    .map((one) => /^q=([01](?:\.[0-9]{0,3})?)$/.exec(one)?.[1])
    .find((one) => one !== undefined);
  return { type, quality: quality === undefined ? 1 : Number(quality) };
}

/** The most specific range decides. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const candidates = [type, `${type.split('/')[0]}/*`, '*/*'];
  for (const candidate of candidates) {
    const range = ranges.find((one) => one.type === candidate);
    if (range) return range.quality;
  }
  return 0;
}
