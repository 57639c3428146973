import { sql } from 'kysely';
import type { Database } from './database.ts';

/** The secret of this name that all replicas share: `fresh`, where there is none yet. */
export async function sharedSecret(db: Database, name: string, fresh: Buffer): Promise<Buffer> {
  await sql`insert into secrets (name, secret) values (${name}, ${fresh}) on conflict do nothing`.execute(
    db.kysely,
  );
  const { secret } = await db.kysely
    .selectFrom('secrets')
    .select('secret')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return secret;
}
