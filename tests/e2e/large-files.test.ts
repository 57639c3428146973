import { expect } from '@jest/globals';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { smallDisksAllowed, onSmallDisk } from '../support/small-disk.ts';
import { waitFor } from '../support/wait.ts';
import { memoryOf } from '../bench/proc.ts';
import { type Api, house, type House } from './support/house.ts';
import { digestOf, largeBytes, MiB } from '../support/large-bytes.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  api = await here.startApi();
});

const size = 512 * MiB;
/** What a process may hold more than before, whatever the size of the file. */
const mostGrowth = 150 * MiB;
const bytes = largeBytes();
const tus = { 'tus-resumable': '1.0.0' };

/** Runs `work`, and answers by how much the API grew meanwhile, at its largest. */
async function growthDuring(work: () => Promise<unknown>): Promise<number> {
  const { pid } = api.program();
  const { resident } = await memoryOf(pid);
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  await work();
  return (await memoryOf(pid)).peak - resident;
}

async function begin(at: Api, length: number, sha256: string): Promise<string> {
  const metadata = `sha256 ${Buffer.from(sha256).toString('base64')}`;
  const headers = { ...tus, 'upload-length': String(length), 'upload-metadata': metadata };
  const answer = await at.call('POST', '/v1/uploads', { headers });
  expect(answer.status).toBe(201);
  return answer.headers.get('location') ?? '';
}

const goOn = (at: Api, path: string, from: number, to: number): Promise<Response> =>
  at.call('PATCH', path, {
    body: bytes.stream(from, to),
    headers: { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(from) },
  });

async function offsetOf(at: Api, path: string): Promise<number> {
  return Number((await at.call('HEAD', path, { headers: tus })).headers.get('upload-offset'));
}

async function expectContent(fileId: string | null, length: number, sha256: string): Promise<void> {
  const answer = await api.call('GET', `/v1/files/${fileId}/content`);
  expect(await digestOf(answer)).toEqual({ size: length, sha256 });
}

scenario(
  'half a gigabyte goes up whole and in pieces, and comes down whole and in part, in flat memory',
  async () => {
    const sha256 = bytes.sha256(size);
    const warmUp = await api.call('POST', '/v1/files', { body: bytes.stream(0, 8 * MiB) });
    await digestOf(
      await api.call('GET', `/v1/files/${((await warmUp.json()) as { id: string }).id}/content`),
    );
    let id: string | null = null;
    const growth = {
      raw: await growthDuring(async () => {
        const answer = await api.call('POST', '/v1/files', { body: bytes.stream(0, size) });
        const file = (await answer.json()) as { id: string; sha256: string };
        expect([answer.status, file.sha256]).toEqual([201, sha256]);
        id = file.id;
      }),
      down: await growthDuring(() => expectContent(id, size, sha256)),
      part: await growthDuring(async () => {
        const headers = { range: `bytes=${MiB}-${401 * MiB - 1}` };
        const part = await api.call('GET', `/v1/files/${id}/content`, { headers });
        expect([part.status, (await digestOf(part)).size]).toEqual([206, 400 * MiB]);
      }),
      tus: await growthDuring(async () => {
        const path = await begin(api, size, sha256);
        expect((await goOn(api, path, 0, 200 * MiB)).status).toBe(204);
        const end = await goOn(api, path, 200 * MiB, size);
        expect(end.status).toBe(204);
        await expectContent(end.headers.get('perdure-file'), size, sha256);
      }),
    };
    for (const [way, by] of Object.entries(growth))
      expect([way, by < mostGrowth, by]).toEqual([way, true, by]);
  },
  300_000,
);

scenario('an upload goes on after a kill of the API in its midst, to the same bytes', async () => {
  const length = 200 * MiB + 12_345;
  const sha256 = bytes.sha256(length);
  const path = await begin(api, length, sha256);
  const id = path.split('/').at(-1);
  const broken = goOn(api, path, 0, length).catch(() => undefined);
  const some = async (): Promise<boolean> => {
    const { rows } = await here.query<{ received: string }>('select received from uploads where id = $1', [
      id,
    ]);
    return Number(rows[0]?.received) > 0;
  };
  await waitFor(some, { what: 'the first part to be kept', everyMs: 2 });
  await api.program().kill();
  await broken;
  await api.startAgain();
  const offset = await offsetOf(api, path);
  expect(offset).toBeGreaterThan(0);
  expect(offset).toBeLessThan(length);
  const end = await goOn(api, path, offset, length);
  expect(end.status).toBe(204);
  await expectContent(end.headers.get('perdure-file'), length, sha256);
});

scenario('an upload that a full disk stops goes on once there is room', async () => {
  if (!(await smallDisksAllowed())) return console.warn('user namespaces are not allowed here: not tried');
  const length = 12 * MiB;
  const folder = dirname(await here.file('small.txt', ''));
  const disk = join(folder, 'small-disk');
  await mkdir(disk);
  const small = await here.startApi({ STORAGE_URL: `file:${disk}` }, onSmallDisk(disk, '26m'));
  // The disk is seen by the processes of its namespace, and by this way.
  const filler = join('/proc', String(small.program().pid), 'root', disk, 'filler');
  await writeFile(filler, Buffer.alloc(10 * MiB));
  const path = await begin(small, length, bytes.sha256(length));
  const refused = await goOn(small, path, 0, length);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'unavailable' });
  const offset = await offsetOf(small, path);
  expect(offset).toBe(8 * MiB);
  await rm(filler);
  const end = await goOn(small, path, offset, length);
  expect(end.status).toBe(204);
  const content = await small.call('GET', `/v1/files/${end.headers.get('perdure-file')}/content`);
  expect(await digestOf(content)).toEqual({ size: length, sha256: bytes.sha256(length) });
});
