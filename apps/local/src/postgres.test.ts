import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import getPort from 'get-port';
import { spawn } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { aFolder } from '../../../tests/support/folder.ts';
import { startPostgres, type Postgres, type PostgresOptions } from './postgres.ts';
import { identityOf } from './process-identity.ts';

let folder: Awaited<ReturnType<typeof aFolder>>;
const running: Postgres[] = [];

beforeEach(async () => {
  folder = await aFolder('postgres');
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await folder.remove();
});

async function aServer(options: Partial<PostgresOptions> = {}): Promise<Postgres> {
  const server = await startPostgres({
    folder: folder.path,
    port: await getPort(),
    durable: false,
    ...options,
  });
  running.push(server);
  return server;
}

async function query(server: Postgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url('postgres') });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('a second start finds the data of the first', async () => {
  const first = await aServer();
  await query(first, "CREATE TABLE notes AS SELECT 'kept' AS text");
  await first.stop();
  expect(await query(await aServer(), 'SELECT text FROM notes')).toEqual([{ text: 'kept' }]);
});

test('settings are durable unless the caller gives that up', async () => {
  const [settings] = await query(
    await aServer({ durable: true }),
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
            current_setting('full_page_writes') AS pages, current_setting('data_checksums') AS checksums`,
  );
  expect(settings).toEqual({ fsync: 'on', commit: 'on', pages: 'on', checksums: 'on' });
});

test('only who knows the password gets in, and only its owner can read it', async () => {
  const server = await aServer();
  const url = new URL(server.url('postgres'));
  url.password = 'guess';
  await expect(new pg.Client({ connectionString: url.href }).connect()).rejects.toMatchObject({
    code: '28P01',
  });
  expect((await stat(join(folder.path, 'password'))).mode & 0o777).toBe(0o600);
});

describe('after a kill -9', () => {
  test('of the server, what was committed is there again', async () => {
    const first = await aServer({ durable: true });
    await query(first, 'CREATE TABLE numbers AS SELECT 42 AS number');
    process.kill(first.child.pid, 'SIGKILL');
    await first.child.exited;
    expect(await query(await aServer(), 'SELECT number FROM numbers')).toEqual([{ number: 42 }]);
  });

  test('of the parent, the server that lives on is ended and its data found', async () => {
    const first = await aServer();
    await query(first, 'CREATE TABLE numbers AS SELECT 42 AS number');
    // To a new start this is the same as a dead parent: it knows only what lies in the folder.
    const second = await aServer();
    expect(first.child.running()).toBe(false);
    expect(await query(second, 'SELECT number FROM numbers')).toEqual([{ number: 42 }]);
  });

  test('a lock whose pid is a stranger by now is no obstacle, and the stranger lives', async () => {
    const first = await aServer();
    const lock = join(first.dataFolder, 'postmaster.pid');
    const lines = (await readFile(lock, 'utf8')).split('\n');
    await first.stop();
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await writeFile(lock, [String(stranger.pid), ...lines.slice(1)].join('\n'), { mode: 0o600 });
      await aServer();
      expect(await identityOf(stranger.pid ?? 0)).toBeDefined();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('of initdb, the next start begins anew', async () => {
    const first = await aServer();
    await first.stop();
    await rm(join(folder.path, 'data'), { recursive: true });
    await writeFile(join(folder.path, 'data.unfinished'), 'half made');
    expect(await query(await aServer(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

test('a port that is taken is said in PostgreSQL’s words', async () => {
  const other = await aServer();
  const port = Number(new URL(other.url('postgres')).port);
  const options = { folder: join(folder.path, 'other'), port, durable: false };
  await expect(startPostgres(options)).rejects.toThrow(/before it was ready:[^]*Address already in use/);
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;
asRoot('where user namespaces are forbidden, root runs it as another user', async () => {
  const shelter = await aFolder('shelter');
  try {
    const first = await aServer({ mode: 'other-user', shelter: shelter.path });
    expect((await stat(`/proc/${first.child.pid}`)).uid).not.toBe(0);
    await query(first, 'CREATE TABLE numbers AS SELECT 42 AS number');
    await first.stop();
    const second = await aServer({ mode: 'other-user', shelter: shelter.path });
    expect(await query(second, 'SELECT number FROM numbers')).toEqual([{ number: 42 }]);
    await second.stop();
  } finally {
    await shelter.remove();
  }
});
