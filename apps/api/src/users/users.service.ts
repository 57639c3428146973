import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { PageQuery, User, UserPage, UserPatch, UserRequest } from '@perdure/job/schemas';
import { changeUser, createUser, getUser, listUsers, type UserRecord } from '@perdure/store/admin';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { refusal } from '../http/refusal.ts';
import { requireMatch } from '../http/conditional.ts';
import { PageTokens } from '../jobs/page-tokens.ts';
import { Settings } from '../settings.ts';

@Injectable()
export class UsersService {
  constructor(
    private readonly database: DatabaseService,
    private readonly pageTokens: PageTokens,
    private readonly settings: Settings,
  ) {}

  async create(caller: Principal, { email, ...request }: UserRequest): Promise<User> {
    const { tenantId } = caller;
    const user = await this.database.change(
      caller,
      (db) => createUser(db, { ...request, tenantId, email: email ?? null }),
      (made) => made && { kind: 'user', id: made.id },
    );
    if (user !== undefined) return toUser(user);
    throw refusal('id-taken', '/email', `There is a user with the e-mail address ${email} already`);
  }

  async list({ tenantId }: Principal, { pageSize: limit, pageToken }: PageQuery): Promise<UserPage> {
    const scope = `users ${tenantId}`;
    return this.pageTokens.page(pageToken, scope, async (after) => {
      const { items, next } = await this.database.call(tenantId, (db) =>
        listUsers(db, tenantId, { after, limit }),
      );
      return { items: items.map(toUser), next };
    });
  }

  async get(caller: Principal, id: string): Promise<User> {
    return toUser(await this.record(caller, id));
  }

  /** Throws 'not-found', also for a user of another tenant. */
  async record({ tenantId }: Principal, id: string): Promise<UserRecord> {
    const user = await this.database.call(tenantId, (db) => getUser(db, tenantId, id));
    if (user === undefined) throw new PerdureError('not-found', 'There is no such user');
    return user;
  }

  async change(caller: Principal, id: string, patch: UserPatch, ifMatch: string | undefined): Promise<User> {
    for (;;) {
      const seen = await this.record(caller, id);
      requireMatch(ifMatch, userTag(seen));
      this.checkRole(seen, patch);
      const changed = await this.database.change(
        caller,
        (db) => changeUser(db, seen, patch),
        (user) => user && { kind: 'user', id },
      );
      if (changed !== undefined) return toUser(changed);
      // Somebody else has changed it in between: look again.
    }
  }

  /** What is changed here would hold until the next token says otherwise. */
  private checkRole({ issuer, role }: UserRecord, patch: UserPatch): void {
    const { oidc } = this.settings.config;
    if (patch.role === undefined || patch.role === role) return;
    if (issuer === null || issuer !== oidc?.issuer || oidc.role === undefined) return;
    const detail = 'comes from the identity provider: change it there, or disable the user here';
    throw refusal('managed-elsewhere', '/role', detail, `The role ${detail}`);
  }
}

export function userTag({ revision }: { revision: number }): string {
  return `"${revision}"`;
}

export function toUser(record: UserRecord): User {
  const { id, kind, email, displayName, role, issuer, createdAt, disabledAt, revision } = record;
  return { id, kind, email, displayName, role, issuer, createdAt, disabledAt, revision };
}
