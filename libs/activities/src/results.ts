import type { OutputFile } from '@perdure/job/event';
import type { Storage } from '@perdure/storage';
import type { Database } from '@perdure/store/database';
import { announceBytes, keepDraft } from '@perdure/store/report';
import { cancellationSignal } from '@temporalio/activity';
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { StageRequest } from './contract.ts';
import type { ProducedFile } from './held-job.ts';
import { patiently } from './patiently.ts';

/**
 * Stores a file of a result, as a draft of the attempt: its bytes are named from here on, however long it takes until the workflow commits
 * them.
 *
 * @throws PerdureError `stale-attempt`, and as `Storage.put`
 */
export async function storeResult(
  { db, storage }: { db: Database; storage: Storage },
  { jobId, attempt }: StageRequest,
  { name, mediaType, path }: ProducedFile,
): Promise<OutputFile> {
  const signal = cancellationSignal();
  // A file that took long to store is not stored again because the database is away for a moment.
  const announce = async (sha256: string): Promise<() => Promise<void>> => {
    const arrived = await patiently(() => announceBytes(db, sha256), signal);
    return () => patiently(() => arrived(db), signal);
  };
  const stored = await storage.put(createReadStream(path), { announce });
  const draft = { id: randomUUID(), name, mediaType, ...stored };
  const { id: fileId } = await patiently(() => keepDraft(db, jobId, attempt, draft), signal);
  return { fileId, name, mediaType, ...stored };
}
