import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';

type Place = { Bucket: string; Key: string };

/** S3 copies at most 5 GiB by one request; what is larger goes in ranges of 1 GiB. */
export const copyLimits = { whole: 5 * 1024 ** 3, part: 1024 ** 3 };

/** Copies inside S3; the target appears at once and whole. */
export async function copyObject(
  client: S3Client,
  from: Place,
  to: Place,
  size: number,
  limits = copyLimits,
): Promise<void> {
  const CopySource = `${from.Bucket}/${encodeURIComponent(from.Key)}`;
  if (size <= limits.whole) {
    await client.send(new CopyObjectCommand({ ...to, CopySource }));
    return;
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(to));
  try {
    const Parts: CompletedPart[] = [];
    for (let start = 0; start < size; start += limits.part) {
      const CopySourceRange = `bytes=${start}-${Math.min(start + limits.part, size) - 1}`;
      const PartNumber = Parts.length + 1;
      const part = { ...to, UploadId, PartNumber, CopySource, CopySourceRange };
      const { CopyPartResult } = await client.send(new UploadPartCopyCommand(part));
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...to, UploadId, MultipartUpload: { Parts } }));
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ ...to, UploadId })).catch(() => undefined);
    throw error;
  }
}
