import { expect } from '@jest/globals';
import type { File, Job } from '@perdure/client';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';
import { cli } from './support/cli.ts';
import { type Api, house, type House } from './support/house.ts';
import { registerByHand } from './support/http-agent.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  api = await here.startApi();
});

const perdure = (url = api.url) => cli({ url, key: api.key, home: '/nonexistent' });
const large = 'a,b,c,d\n'.repeat(5_000_000);
const sha256 = createHash('sha256').update(large).digest('hex');

scenario('a file goes up, into a job, and comes down as it was', async () => {
  const path = await here.file('rows.csv', 'a,b\n');
  const file = await perdure().json<File>('files', 'upload', path, '--media-type', 'text/csv');
  expect(file).toMatchObject({ name: 'rows.csv', mediaType: 'text/csv', size: 4 });
  expect((await perdure().run('files', 'get', file.id)).stdout).toMatch(/^sha256 +[0-9a-f]{64}$/m);
  expect(await perdure().run('files', 'download', file.id)).toMatchObject({ code: 0, stdout: 'a,b\n' });
  const copy = join(dirname(path), 'copy.csv');
  expect(await perdure().run('files', 'download', file.id, '-o', copy)).toMatchObject({
    code: 0,
    stdout: '',
    stderr: `${copy}: 4 bytes\n`,
  });
  expect(await readFile(copy, 'utf8')).toBe('a,b\n');
  await registerByHand(api);
  const job = await perdure().json<Job>('jobs', 'submit', 'by-hand', '--file', `data=${path}`);
  const { data } = job.parameters as { data: string };
  expect((await perdure().run('files', 'download', data)).stdout).toBe('a,b\n');
  await api.cancel(job.id);

  const none = await perdure().run('files', 'upload', '/no/such/file');
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('/no/such/file cannot be read') });
  expect(await perdure().run('files', 'download', file.id, '-o', '/no/such/folder/file')).toMatchObject({
    code: 1,
  });
});

scenario('an upload goes on over an API that is killed', async () => {
  const path = await here.file('killed.csv', large);
  const uploading = perdure().start('files', 'upload', path, '--json');
  await received(8 * 1024 ** 2);
  await api.program().kill();
  await api.startAgain();
  const { code, stdout } = await uploading.ended;
  expect([code, (JSON.parse(stdout) as File).sha256]).toEqual([0, sha256]);
});

scenario('an upload that is interrupted says how to go on, and goes on', async () => {
  const path = await here.file('interrupted.csv', large);
  const proxy = await startProxy('127.0.0.1', Number(new URL(api.url).port));
  const uploading = perdure(`http://127.0.0.1:${proxy.port}`).start('files', 'upload', path);
  await received(8 * 1024 ** 2);
  proxy.freeze();
  uploading.child.kill('SIGINT');
  const { code, stderr } = await uploading.ended;
  proxy.stop();
  expect(code).toBe(130);
  const [, upload = ''] = /perdure files upload --resume (\S+) /.exec(stderr) ?? [];
  const resumed = await perdure().json<File>('files', 'upload', path, '--resume', upload);
  expect(resumed).toMatchObject({ name: 'interrupted.csv', sha256 });
  await writeFile(path, large.replace('a', 'x'));
  const other = await perdure().run('files', 'upload', path, '--resume', upload);
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('was of other bytes') });
});

/** The newest upload has come so far at least, and not to its end. */
async function received(bytes: number): Promise<void> {
  const some = async (): Promise<boolean> => {
    const { rows } = await here.query<{ received: string }>(
      'select received from uploads where file_id is null order by created_at desc limit 1',
    );
    return Number(rows[0]?.received ?? 0) >= bytes;
  };
  await waitFor(some, { what: `${bytes} bytes to have come`, everyMs: 2 });
}
