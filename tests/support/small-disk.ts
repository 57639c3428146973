import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What starts a program that sees a small file system of its own in `folder`: `size` as mount(8) takes it. */
export function onSmallDisk(folder: string, size: string): string[] {
  const script = 'mount -t tmpfs -o "size=$1" none "$2"; shift 2; exec "$@"';
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-ec', script, 'sh', size, folder];
}

/** A small file system of one's own needs user namespaces, which not every machine allows. */
export async function smallDisksAllowed(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
  const [command = '', ...rest] = [...onSmallDisk(folder, '1m'), 'true'];
  const allowed = await promisify(execFile)(command, rest).then(
    () => true,
    () => false,
  );
  await rmdir(folder);
  return allowed;
}
