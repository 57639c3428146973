import { HttpError } from '../http/problem.ts';

/**
 * The part of a file of `size` bytes that `Range` asks for (RFC 9110, 14.2); undefined: the whole. A header that cannot
 * be read, other units and several ranges are ignored, as the RFC allows. Throws 'range-not-satisfiable'.
 */
export function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=\s*([0-9]{0,15})-([0-9]{0,15})\s*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const range =
    first === ''
      ? { start: Math.max(0, size - Number(last)), end: size - 1 }
      : { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (range.start < size && range.start <= range.end) return range;
  throw new HttpError('range-not-satisfiable', `The file has ${size} bytes`, {
    headers: { 'content-range': `bytes */${size}` },
  });
}
