import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { openStorage, type Storage } from './storage.ts';
import { once, sha256Of } from './testing/bytes.ts';
import { flatMemory } from './testing/flat-memory.ts';
import { judge } from './testing/suite.ts';

const run = promisify(execFile);
let root: string;
let storage: Storage;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'perdure-storage-'));
  storage = openStorage(`file:${root}/store`);
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

describe('a disk', () => {
  judge({ storage: () => storage, names: () => filesIn(join(root, 'store')) });

  test('a link in the place of bytes is not followed, and is replaced by the bytes', async () => {
    const secret = join(root, 'secret');
    await writeFile(secret, 'of the machine');
    const sha256 = sha256Of('linked');
    const folder = join(root, 'store', 'objects', sha256.slice(0, 2), sha256.slice(2, 4));
    await mkdir(folder, { recursive: true });
    await symlink(secret, join(folder, sha256));
    await expect(storage.read(sha256)).rejects.toMatchObject({ code: 'unavailable' });
    await storage.put(once(Buffer.from('linked')));
    expect(await text(await storage.read(sha256))).toBe('linked');
    expect(await readFile(secret, 'utf8')).toBe('of the machine');
  });

  test(
    '320 MiB pass through a process whose memory stays flat',
    () => flatMemory(`file:${root}/large`),
    120_000,
  );

  test('what a crash left half written goes after a day, and not before', async () => {
    const incoming = join(root, 'crashed', 'incoming');
    await mkdir(incoming, { recursive: true });
    await writeFile(join(incoming, 'old'), 'half');
    await writeFile(join(incoming, 'young'), 'half');
    await utimes(join(incoming, 'old'), new Date(), new Date(Date.now() - 25 * 3600 * 1000));
    await openStorage(`file:${root}/crashed`).put(once('new'));
    expect(await readdir(incoming)).toEqual(['young']);
  });

  test('a root that is a file is named as unavailable, and works once it is a folder', async () => {
    const path = join(root, 'blocked');
    await writeFile(path, 'in the way');
    const blocked = openStorage(`file:${path}`);
    await expect(blocked.check()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(blocked.put(once('x'))).rejects.toMatchObject({
      code: 'upload-failed',
      cause: { code: 'ENOTDIR' },
    });
    await rm(path);
    await expect(blocked.put(once('x'))).resolves.toEqual({ sha256: sha256Of('x'), size: 1 });
  });

  test('a folder with a space and a percent sign in its name is found', async () => {
    const path = join(root, 'a 100% name');
    await openStorage(String(new URL(`file:${path.replaceAll('%', '%25')}`))).put(once('x'));
    expect(await filesIn(path)).toEqual([sha256Of('x')]);
  });
});

describe('a full disk', () => {
  /** A small file system of one's own needs user namespaces, which not every machine allows. */
  const script = fileURLToPath(new URL('./testing/full-disk.ts', import.meta.url));
  const own = ['--user', '--map-root-user', '--mount', 'sh', '-ec'];

  test('is told as upload-failed with the cause, and leaves nothing half written', async () => {
    const folder = join(root, 'full');
    await mkdir(folder);
    const mount = `mount -t tmpfs -o size=1m none "$1"`;
    const possible = await run('unshare', [...own, mount, 'sh', folder]).then(
      () => true,
      () => false,
    );
    if (!possible) return console.warn('skipped: this machine lets nobody mount a small file system');
    const inside = `${mount}; exec "$2" "$3" "$1"`;
    const { stdout } = await run('unshare', [...own, inside, 'sh', folder, process.execPath, script]);
    expect(JSON.parse(stdout)).toEqual({
      code: 'upload-failed',
      message: 'The bytes could not be stored in the storage folder: there is no space left.',
      cause: 'ENOSPC',
      left: [],
      afterwards: 5,
    });
  });
});
