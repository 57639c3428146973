import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * A key speaks for a user or for an agent, and what is owned belongs to a user. Until now a key's name was the owner: each name becomes a
 * service account of that name, which takes over the jobs, files, uploads and idempotency keys. Histories stay as they were written.
 */
export const users: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...tables, ...takeOver]) await sql.raw(statement).execute(db);
  },
};

const tables = [
  `create table users (
    id uuid primary key,
    tenant_id uuid not null references tenants,
    kind text not null check (kind in ('person', 'service')),
    email text check (email = lower(email)),
    display_name text not null,
    role text not null check (role in ('member', 'operator', 'admin')),
    issuer text,
    subject text,
    -- When the token was issued that last said who this is.
    claims_at timestamptz,
    revision integer not null default 1,
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    check (kind = 'person' or (email is null and subject is null)),
    check ((issuer is null) = (subject is null)),
    unique (tenant_id, id),
    unique (tenant_id, email),
    unique (tenant_id, issuer, subject)
  )`,
  `create index users_by_created on users (tenant_id, created_at, id)`,
  `create index tenants_by_created on tenants (created_at, tenant_id)`,
  `insert into users (id, tenant_id, kind, display_name, role)
    values ('${firstAdminId}', '${defaultTenantId}', 'service', 'admin', 'admin')`,
  // Keys that could never be made: the role of an agent, and no agent.
  `delete from keys where (role = 'agent') <> (agent_id is not null)`,
  `insert into users (id, tenant_id, kind, display_name, role)
    select gen_random_uuid(), tenant_id, 'service', name,
      (array_agg(role order by array_position(array['admin', 'operator', 'member'], role)))[1]
    from keys where agent_id is null and (tenant_id, name) <> ('${defaultTenantId}', 'admin')
    group by tenant_id, name`,
  `alter table keys add user_id uuid, add foreign key (tenant_id, user_id) references users (tenant_id, id)`,
  `update keys set user_id = users.id from users
    where users.tenant_id = keys.tenant_id and users.display_name = keys.name and keys.agent_id is null`,
  `alter table keys add check ((user_id is null) = (agent_id is not null)), add check ((role = 'agent') = (agent_id is not null))`,
  `create index keys_by_user on keys (user_id, created_at, id)`,
  `alter table uploads add owner text`,
];

/** What was owned by the name of a key. A workflow that was started without the API names its owner as it likes. */
const takeOver = [
  `update jobs set owner = users.id::text, start = jsonb_set(start, '{owner}', to_jsonb(users.id::text)) from users
    where users.tenant_id = jobs.tenant_id and users.display_name = jobs.owner and jobs.start -> 'admitted' = 'true'`,
  `insert into job_facets (tenant_id, facet, created_at, job_id)
    select jobs.tenant_id, job_facet('owner', jobs.owner), jobs.created_at, jobs.id
    from jobs join users on users.tenant_id = jobs.tenant_id and users.id::text = jobs.owner`,
  `delete from job_facets using jobs join users on users.tenant_id = jobs.tenant_id and users.id::text = jobs.owner
    where job_facets.job_id = jobs.id and job_facets.tenant_id = jobs.tenant_id and job_facets.created_at = jobs.created_at
      and job_facets.facet = job_facet('owner', users.display_name)`,
  `update files set owner = users.id::text from users
    where users.tenant_id = files.tenant_id and users.display_name = files.owner
      and (files.job_id is null or exists (select from jobs where jobs.id = files.job_id and jobs.owner = users.id::text))`,
  `update purged_jobs set owner = users.id::text from users
    where users.tenant_id = purged_jobs.tenant_id and users.display_name = purged_jobs.owner`,
  // Of an upload that nobody owns the housekeeping takes the parts away when its time is over.
  `update uploads set owner = coalesce((select user_id::text from keys where keys.id = uploads.key_id), '')`,
  `alter table uploads alter owner set not null, drop key_id`,
  `insert into idempotency_keys (tenant_id, caller, key, fingerprint, job_id, created_at)
    select old.tenant_id, keys.user_id::text, old.key, old.fingerprint, old.job_id, old.created_at
    from idempotency_keys old join keys on keys.id::text = old.caller and keys.user_id is not null
    on conflict do nothing`,
  `delete from idempotency_keys using keys where keys.id::text = idempotency_keys.caller and keys.user_id is not null`,
];
