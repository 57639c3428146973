import { Injectable } from '@nestjs/common';
import { patterns } from '@perdure/job/ids';
import type { AccessLevel } from '@perdure/job/permissions';
import type { AccessEntry, AccessList, ShareRequest } from '@perdure/job/schemas';
import { findUser, getUser, putGrant, removeGrant, type UserRecord } from '@perdure/store/admin';
import { type GrantRecord, listGrants, type Subject } from '@perdure/store/read';
import { noSuch } from '../access/visibility.ts';
import { DatabaseService } from '../database/database.service.ts';
import { FilesService } from '../files/files.service.ts';
import type { Principal } from '../http/caller.ts';
import { invalid } from '../http/refusal.ts';
import { JobsService } from '../jobs/jobs.service.ts';

/** Besides its owner. Where more are to see it, they are better served with a role. */
export const maxGrants = 100;

/** Who has access to a job or a file. The audit log has an entry of the thing, and one of the user. */
@Injectable()
export class SharingService {
  constructor(
    private readonly database: DatabaseService,
    private readonly jobs: JobsService,
    private readonly files: FilesService,
  ) {}

  async list(caller: Principal, subject: Subject): Promise<AccessList> {
    const { tenantId } = caller;
    const { owner } = await this.subject(caller, subject, 'viewer');
    const [first, given] = await Promise.all([
      this.ownerEntry(tenantId, owner),
      this.database.call(tenantId, (db) => listGrants(db, tenantId, subject)),
    ]);
    return { items: [first, ...given.map(toEntry)] };
  }

  /** Throws 'invalid-request' for a user who is none of this tenant, or the owner, or one too many. */
  async put(
    caller: Principal,
    subject: Subject,
    { user: named, access, reason }: ShareRequest,
  ): Promise<AccessEntry> {
    const { tenantId, id: by } = caller;
    const { owner } = await this.subject(caller, subject, 'owner');
    const user = await this.user(tenantId, named);
    if (user.id === owner) {
      if (access === 'owner') return this.ownerEntry(tenantId, owner);
      throw invalid('/access', 'of the owner is owner, and stays so');
    }
    const given = await this.database.call(tenantId, (db) => listGrants(db, tenantId, subject));
    if (given.length >= maxGrants && !given.some(({ userId }) => userId === user.id))
      throw invalid('/user', `is one too many: ${maxGrants} users may have access, besides the owner`);
    const order = { userId: user.id, access, by, reason: reason ?? null };
    await this.database.change(
      caller,
      (db) => putGrant(db, tenantId, subject, order),
      (changed) => changed && [subject, { kind: 'user', id: user.id }],
    );
    const now = await this.database.call(tenantId, (db) => listGrants(db, tenantId, subject));
    const entry = now.find(({ userId }) => userId === user.id);
    // The job is no longer kept, or somebody else has taken it away again.
    if (entry === undefined) throw noSuch(subject.kind);
    return toEntry(entry);
  }

  /** Nothing where the user had none. */
  async remove(caller: Principal, subject: Subject, userId: string): Promise<void> {
    const { tenantId } = caller;
    const { owner } = await this.subject(caller, subject, 'owner');
    if (userId === owner) throw invalid('path/userId', 'is the owner, who has access always');
    await this.database.change(
      caller,
      (db) => removeGrant(db, tenantId, subject, userId),
      (changed) => changed && [subject, { kind: 'user', id: userId }],
    );
  }

  private subject(caller: Principal, { kind, id }: Subject, needed: AccessLevel): Promise<{ owner: string }> {
    return kind === 'job' ? this.jobs.record(caller, id, needed) : this.files.get(caller, id, needed);
  }

  private async user(tenantId: string, named: ShareRequest['user']): Promise<UserRecord> {
    const user = await this.database.call(tenantId, (db) =>
      'id' in named ? getUser(db, tenantId, named.id) : findUser(db, tenantId, named.email),
    );
    if (user !== undefined && user.disabledAt === null) return user;
    throw invalid(
      'id' in named ? '/user/id' : '/user/email',
      'is no user of this tenant who is not disabled',
    );
  }

  private async ownerEntry(tenantId: string, id: string): Promise<AccessEntry> {
    const user = patterns.uuid.test(id)
      ? await this.database.call(tenantId, (db) => getUser(db, tenantId, id))
      : undefined;
    const { email = null, displayName = null } = user ?? {};
    const always = { grantedBy: null, grantedAt: null, reason: null };
    return { user: { id, email, displayName }, access: 'owner', ...always };
  }
}

function toEntry({ userId: id, email, displayName, ...grant }: GrantRecord): AccessEntry {
  return { user: { id, email, displayName }, ...grant };
}
