import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';

import { leftoverAfterMs } from './incoming.ts';

/** An upload shows only when it began, and a slow one takes long. */
const ages = { objectMs: leftoverAfterMs, uploadMs: 7 * leftoverAfterMs };

/**
 * Takes away what a crash left under `prefix`: objects that were never copied, and uploads that were never completed.
 * A key without the right to list leaves this to a lifecycle rule of the bucket, so that a refusal is no failure.
 */
export async function clearLeftovers(
  client: S3Client,
  bucket: string,
  prefix: string,
  after = ages,
): Promise<void> {
  const place = { Bucket: bucket, Prefix: prefix };
  try {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, place)) {
      for (const { Key, LastModified } of Contents) {
        if (isOlder(LastModified, after.objectMs))
          await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      }
    }
    // The first thousand; the next process takes the rest.
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(place));
    for (const { Key, UploadId, Initiated } of Uploads) {
      if (isOlder(Initiated, after.uploadMs)) {
        await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
      }
    }
  } catch {
    return;
  }
}

function isOlder(date: Date | undefined, ageMs: number): boolean {
  return date !== undefined && Date.now() - date.getTime() > ageMs;
}
