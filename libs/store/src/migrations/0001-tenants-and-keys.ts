import { defaultTenantId } from '@perdure/job/ids';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const tenantsAndKeys: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table tenants (
        tenant_id uuid primary key,
        name text not null unique,
        created_at timestamptz not null default now()
      )`.execute(db);
    await sql`insert into tenants (tenant_id, name) values (${defaultTenantId}, 'default')`.execute(db);

    // Only the SHA-256 of a key is kept: 32 random bytes need no slower hash.
    await sql`
      create table keys (
        id uuid primary key,
        tenant_id uuid not null references tenants,
        agent_id text,
        name text not null,
        role text not null check (role in ('admin', 'operator', 'member', 'agent')),
        hash bytea not null unique check (length(hash) = 32),
        prefix text not null,
        last_four text not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz
      )`.execute(db);
    await sql`create index keys_by_created on keys (tenant_id, created_at, id)`.execute(db);
  },
};
