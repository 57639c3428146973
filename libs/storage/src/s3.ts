import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';

import {
  DeleteObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

import type { ByteRange, PutOptions, Storage, Stored } from './contract.ts';
import { isSha256, notFound, receive, unavailable } from './incoming.ts';
import { copyObject } from './s3-copy.ts';
import { clearLeftovers } from './s3-leftovers.ts';
import { s3Parts } from './s3-parts.ts';
import { readObject, statusOf } from './s3-read.ts';

export type S3Access = {
  /** Absent: the AWS library looks for them itself. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  region?: string;
};

/** 10,000 parts are the most that S3 takes, so that 80 GB fit; four parts are in memory at once. */
const partBytes = 8 * 1024 ** 2;
const partsAtOnce = 4;

/** `objects/<sha256>` under the prefix; larger streams come in under `incoming/<uuid>` and are copied inside S3 when complete. */
export function openS3(url: URL, access: S3Access): Storage {
  const { client, bucket, prefix } = connect(url, access);
  const where = `the bucket ${bucket}`;
  const at = (sha256: string) => ({ Bucket: bucket, Key: `${prefix}objects/${sha256}` });
  let cleared: Promise<void> | undefined;

  async function put(bytes: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<Stored> {
    const coming = receive(bytes, options);
    try {
      cleared ??= clearLeftovers(client, bucket, `${prefix}incoming/`);
      await cleared;
      const head = await firstPart(coming.bytes);
      if (head.whole) {
        await client.send(new PutObjectCommand({ ...at(coming.stored().sha256), Body: head.bytes }));
      } else {
        await putLarge(head.bytes, coming.bytes, () => coming.stored());
      }
      return await coming.arrived();
    } catch (error) {
      throw coming.failure(error, where);
    }
  }

  /** The digest, and with it the key, is known only at the end. A failed upload takes its parts away. */
  async function putLarge(
    head: Uint8Array,
    rest: AsyncGenerator<Uint8Array>,
    stored: () => Stored,
  ): Promise<void> {
    const draft = { Bucket: bucket, Key: `${prefix}incoming/${randomUUID()}` };
    const body = Readable.from(joined(head, rest), { objectMode: false });
    try {
      const params = { ...draft, Body: body };
      await new Upload({ client, params, partSize: partBytes, queueSize: partsAtOnce }).done();
    } finally {
      // After a failure of S3 the source would wait for a reader for ever.
      body.destroy();
    }
    try {
      await copyObject(client, draft, at(stored().sha256), stored().size);
    } finally {
      await client.send(new DeleteObjectCommand(draft)).catch(() => undefined);
    }
  }

  async function read(sha256: string, range?: ByteRange): Promise<Readable> {
    if (!isSha256(sha256)) throw notFound(sha256);
    return readObject(client, at(sha256), sha256, range);
  }

  async function size(sha256: string): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined;
    try {
      return (await client.send(new HeadObjectCommand(at(sha256)))).ContentLength;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw unavailable(error, where);
    }
  }

  async function remove(sha256: string): Promise<void> {
    if (!isSha256(sha256)) return;
    await client.send(new DeleteObjectCommand(at(sha256))).catch((error: unknown) => {
      throw unavailable(error, where);
    });
  }

  async function check(): Promise<void> {
    await client.send(new HeadBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
      throw unavailable(error, where);
    });
  }

  return {
    put,
    read,
    size,
    has: async (sha256) => (await size(sha256)) !== undefined,
    remove,
    check,
    ...s3Parts(client, bucket, `${prefix}parts/`),
  };
}

function connect(url: URL, { credentials, region }: S3Access) {
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  const client = new S3Client({
    endpoint,
    region: url.searchParams.get('region') ?? region ?? 'us-east-1',
    forcePathStyle: url.searchParams.get('forcePathStyle') === 'true',
    credentials,
    // The SHA-256 is our check. Servers other than Amazon's answer with checksums of parts as if they were of the whole.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 120_000 },
  });
  const folder = decodeURIComponent(url.pathname).replaceAll(/^\/+|\/+$/g, '');
  return { client, bucket: url.hostname, prefix: folder === '' ? '' : `${folder}/` };
}

/** Reads up to a part: what fits into one is stored by one request under its final key. */
async function firstPart(bytes: AsyncGenerator<Uint8Array>): Promise<{ whole: boolean; bytes: Buffer }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
    chunks.push(next.value);
    size += next.value.byteLength;
    if (size > partBytes) return { whole: false, bytes: Buffer.concat(chunks) };
  }
  return { whole: true, bytes: Buffer.concat(chunks) };
}

async function* joined(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}
