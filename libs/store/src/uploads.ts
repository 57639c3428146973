import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import { insertFile } from './files.ts';
import type { FileRecord, UploadRecord } from './records.ts';
import type { Schema } from './schema.ts';
import { inTransaction } from './transactions.ts';

/** Who an upload belongs to: for all others it is not there. */
type Uploader = { tenantId: string; owner: string };

export async function createUpload(
  db: Database,
  upload: Uploader & { id: string; metadata: string; size: number },
  expiresAfterMs: number,
): Promise<UploadRecord> {
  return db.kysely
    .insertInto('uploads')
    .values({
      ...upload,
      received: 0,
      expiresAt: sql`now() + ${expiresAfterMs} * interval '1 millisecond'`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Undefined as well when it has expired. */
export function getUpload(
  db: Database,
  { tenantId, owner }: Uploader,
  id: string,
): Promise<UploadRecord | undefined> {
  return db.kysely
    .selectFrom('uploads')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('owner', '=', owner)
    .where('id', '=', id)
    .where('expiresAt', '>', sql<string>`now()`)
    .executeTakeFirst();
}

/** The parts that are stored, in order. */
export async function listParts(db: Database, { tenantId, id }: UploadRecord): Promise<string[]> {
  const parts = await db.kysely
    .selectFrom('uploadParts')
    .select('id')
    .where('tenantId', '=', tenantId)
    .where('uploadId', '=', id)
    .orderBy('at')
    .execute();
  return parts.map((part) => part.id);
}

/**
 * Takes a part up that is in storage. False, and nothing is written, when the upload does not end at `at` (any more):
 * of two requests that write at the same place, one goes on. No lock is held between two requests or two parts.
 */
export function appendPart(
  db: Database,
  upload: UploadRecord,
  part: { id: string; at: number; size: number },
): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    const advanced = await advance(transaction, upload, part.at, part.at + part.size, null);
    if (!advanced) return false;
    await transaction
      .insertInto('uploadParts')
      .values({ tenantId: upload.tenantId, uploadId: upload.id, at: part.at, id: part.id })
      .execute();
    return true;
  });
}

/**
 * Ends the upload: its bytes, which are in storage, become a file of its owner. All or nothing; false as `appendPart`.
 * The parts are named no more, so that they can be removed.
 */
export function completeUpload(
  db: Database,
  upload: UploadRecord,
  at: number,
  file: FileRecord,
): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    if (!(await advance(transaction, upload, at, upload.size, file.id))) return false;
    await transaction
      .deleteFrom('uploadParts')
      .where('tenantId', '=', upload.tenantId)
      .where('uploadId', '=', upload.id)
      .execute();
    await insertFile({ kysely: transaction }, file);
    return true;
  });
}

/** The row lock of the update is what keeps two requests apart. */
async function advance(
  db: Kysely<Schema>,
  { tenantId, id }: UploadRecord,
  from: number,
  received: number,
  fileId: string | null,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('uploads')
    .set({ received, fileId })
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .where('received', '=', from)
    .where('fileId', 'is', null)
    .where('expiresAt', '>', sql<string>`now()`)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Ends the upload as if its time were over: the housekeeping takes its parts away. The file that it became stays. */
export async function expireUpload(db: Database, { tenantId, id }: UploadRecord): Promise<void> {
  await db.kysely
    .updateTable('uploads')
    .set({ expiresAt: sql`now()` })
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .execute();
}

/** For the housekeeping, of all tenants: what nobody can go on with. */
export function expiredUploads(db: Database, limit: number): Promise<{ tenantId: string; id: string }[]> {
  return db.kysely
    .selectFrom('uploads')
    .select(['tenantId', 'id'])
    .where('expiresAt', '<=', sql<string>`now()`)
    .orderBy('expiresAt')
    .limit(limit)
    .execute();
}

/** Forgets an upload of which no part is left in storage. */
export async function deleteUpload(
  db: Database,
  { tenantId, id }: { tenantId: string; id: string },
): Promise<void> {
  await db.kysely.deleteFrom('uploads').where('tenantId', '=', tenantId).where('id', '=', id).execute();
}
