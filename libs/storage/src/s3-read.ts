import { Readable } from 'node:stream';

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';

import type { ByteRange } from './contract.ts';
import { notFound, notSatisfiable, unavailable } from './incoming.ts';

/** `name` is what errors call the object. */
export async function readObject(
  client: S3Client,
  place: { Bucket: string; Key: string },
  name: string,
  range?: ByteRange,
): Promise<Readable> {
  if (range && (range.end < range.start || range.start < 0)) throw notSatisfiable(name);
  const Range = range ? `bytes=${range.start}-${range.end}` : undefined;
  const where = `the bucket ${place.Bucket}`;
  try {
    const { Body } = await client.send(new GetObjectCommand({ ...place, Range }));
    if (Body instanceof Readable) return Body;
  } catch (error) {
    if (statusOf(error) === 404) throw notFound(name);
    if (statusOf(error) === 416) throw notSatisfiable(name);
    throw unavailable(error, where);
  }
  throw unavailable(new TypeError('no body'), where);
}

/** The HTTP status that S3 answered with. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const { $metadata } = error;
  return typeof $metadata === 'object' && $metadata !== null && 'httpStatusCode' in $metadata
    ? Number($metadata.httpStatusCode)
    : undefined;
}
