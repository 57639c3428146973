import {
  DeleteObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

import type { Storage } from './contract.ts';
import { storingFailed, unavailable } from './incoming.ts';
import { readObject } from './s3-read.ts';

/** `<prefix><upload>/<part>`, an object each: S3's own parts have five megabytes at least, and a request may bring less. */
export function s3Parts(
  client: S3Client,
  bucket: string,
  prefix: string,
): Pick<Storage, 'putPart' | 'readPart' | 'removeParts'> {
  const where = `the bucket ${bucket}`;
  const at = (upload: string, part: string) => ({ Bucket: bucket, Key: `${prefix}${upload}/${part}` });
  return {
    putPart: async (upload, part, bytes) => {
      try {
        await client.send(new PutObjectCommand({ ...at(upload, part), Body: bytes }));
      } catch (error) {
        throw storingFailed(error, where);
      }
    },
    readPart: (upload, part) => readObject(client, at(upload, part), part),
    removeParts: async (upload) => {
      try {
        const place = { Bucket: bucket, Prefix: `${prefix}${upload}/` };
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, place)) {
          for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
        }
      } catch (error) {
        throw unavailable(error, where);
      }
    },
  };
}
