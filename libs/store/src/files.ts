import type { Database } from './database.ts';
import { storableText } from './json-text.ts';
import type { FileRecord } from './records.ts';

/** Makes bytes that are in storage a file of the tenant. False where there is one with this id. */
export async function insertFile(db: Pick<Database, 'kysely'>, file: FileRecord): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db.kysely
    .insertInto('files')
    .values({ ...file, name: storableText(file.name), mediaType: storableText(file.mediaType) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export function getFile(db: Database, tenantId: string, id: string): Promise<FileRecord | undefined> {
  return db.kysely
    .selectFrom('files')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
}
