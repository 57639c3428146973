import { loadApiConfig } from '@perdure/config/api';
import { defaultTenantId } from '@perdure/job/ids';
import type { Role, UserRole } from '@perdure/job/permissions';
import type { Problem } from '@perdure/job/schemas';
import { createKey, createUser, type UserRecord } from '@perdure/store/admin';
import { type Database, openDatabase } from '@perdure/store/database';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase } from '../../../../tests/support/database.ts';
import type { DestinationStream } from 'pino';
import { createApp } from '../app.ts';
import { newSecret } from '../keys/secret.ts';

export type Answer<Body = Record<string, unknown>> = {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
};

type Asked = {
  method?: string;
  key?: string | null;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  raw?: RequestInit['body'];
};

export type TestApi = Awaited<ReturnType<typeof startApi>>;

/** Nothing listens there. */
export const nowhere = '127.0.0.1:1';

/** The whole API on a free port, over a fresh database (reached by the address that `through` makes of its own) and a folder of its own. */
export async function startApi(
  environment: Record<string, string> = {},
  through: (url: string) => Promise<string> = async (url) => url,
  logs?: DestinationStream,
) {
  const database = await freshDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'perdure-api-'));
  const { key: adminKey } = newSecret();
  const config = loadApiConfig({
    PORT: '3000',
    DATABASE_URL: await through(database.url),
    STORAGE_URL: `file:${folder}`,
    TEMPORAL_ADDRESS: nowhere,
    PERDURE_ADMIN_KEY: adminKey,
    LOG_LEVEL: 'silent',
    ...environment,
  });
  const app = await createApp(config, logs);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const db = openDatabase(database.url, { poolSize: 3 });

  async function ask<Body = Record<string, unknown>>(path: string, asked: Asked = {}): Promise<Answer<Body>> {
    const { json, raw, key = adminKey } = asked;
    const body = json === undefined ? raw : JSON.stringify(json);
    const response = await fetch(`${url}${path}`, {
      method: asked.method ?? (body === undefined ? 'GET' : 'POST'),
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...asked.headers,
      },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: bodyIn(text) as Body };
  }

  return {
    app,
    config,
    db,
    folder,
    url,
    port,
    adminKey,
    ask,
    /** The problem of an answer that must be one. */
    async problem(path: string, asked: Asked = {}): Promise<Problem & { headers: Headers }> {
      const { body, status, headers } = await ask<Problem>(path, asked);
      if (headers.get('content-type') !== 'application/problem+json' || body.status !== status) {
        throw new Error(`no problem, but ${status} ${JSON.stringify(body)}`);
      }
      return { ...body, headers };
    },
    /** Of a user of its own; a key of an agent speaks for `agentId`. */
    async keyFor(role: Role, tenantId = defaultTenantId, agentId = 'agent-1'): Promise<string> {
      const { key, ...secret } = newSecret();
      const name = `a ${role}`;
      const whom = role === 'agent' ? { agentId } : { userId: (await this.userWith(role, tenantId)).id };
      await createKey(db, { tenantId, name, role, ...whom, ...secret });
      return key;
    },
    /** A service account. */
    async userWith(role: UserRole, tenantId = defaultTenantId): Promise<UserRecord> {
      const account = { tenantId, kind: 'service', email: null, displayName: `a ${role}`, role } as const;
      const user = await createUser(db, account);
      if (user === undefined) throw new Error('a service account has no e-mail address that could be taken');
      return user;
    },
    async stop(): Promise<void> {
      await app.close();
      await db.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function bodyIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** A second tenant. */
export async function anotherTenant(db: Database): Promise<string> {
  const tenantId = '00000000-0000-7000-8000-0000000000aa';
  await db.kysely.insertInto('tenants').values({ tenantId, name: 'another' }).execute();
  return tenantId;
}
