import { Readable } from 'node:stream';

import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { copyObject } from './s3-copy.ts';
import { clearLeftovers } from './s3-leftovers.ts';
import { openStorage, type Storage } from './storage.ts';
import { digestOf, generated, once, sha256Of } from './testing/bytes.ts';
import { flatMemory } from './testing/flat-memory.ts';
import { type Moto, startMoto } from './testing/moto.ts';
import { judge } from './testing/suite.ts';

const Bucket = 'perdure';
const access = { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
let moto: Moto;
let client: S3Client;
let storage: Storage;

beforeAll(async () => {
  moto = await startMoto();
  client = new S3Client({ endpoint: moto.endpoint, region: 'us-east-1', forcePathStyle: true, ...access });
  await client.send(new CreateBucketCommand({ Bucket }));
  storage = openStorage(urlOf('s3://perdure/some/folder'), access);
}, 180_000);

afterAll(async () => {
  client.destroy();
  await moto.stop();
});

function urlOf(place: string): string {
  return `${place}?endpoint=${encodeURIComponent(moto.endpoint)}&region=us-east-1&forcePathStyle=true`;
}

/** Objects, and uploads that were begun and neither completed nor aborted. */
async function names(): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  return [...Contents, ...Uploads].map(({ Key }) => Key ?? '').sort();
}

describe('S3', () => {
  judge({ storage: () => storage, names });

  test(
    '320 MiB pass through a process whose memory stays flat',
    () => flatMemory(urlOf('s3://perdure/large')),
    120_000,
  );

  test('everything lies under the prefix, and drafts do not stay', async () => {
    const before = await names();
    const { sha256 } = await openStorage(urlOf('s3://perdure/a%20folder/'), access).put(
      generated(9 * 1024 ** 2),
    );
    expect((await names()).filter((name) => !before.includes(name))).toEqual([`a folder/objects/${sha256}`]);
  });

  test('what a crash left half written goes when it is old, and not before', async () => {
    const before = await names();
    const draft = { Bucket, Key: 'crashed/incoming/draft' };
    await client.send(new PutObjectCommand({ ...draft, Body: 'half' }));
    await client.send(new CreateMultipartUploadCommand(draft));
    await openStorage(urlOf('s3://perdure/crashed'), access).put(once('new'));
    // moto lets every upload have begun in 2010, so that it goes at once; the object is young.
    expect((await names()).filter((name) => name === draft.Key)).toHaveLength(1);
    await clearLeftovers(client, Bucket, 'crashed/incoming/', { objectMs: -60_000, uploadMs: -60_000 });
    expect(await names()).toEqual([...before, `crashed/objects/${sha256Of('new')}`].sort());
  });

  test('what is too large for one copy is copied in ranges', async () => {
    const from = { Bucket, Key: 'source with a space' };
    const to = { Bucket, Key: 'target' };
    const size = 17 * 1024 ** 2;
    await new Upload({
      client,
      params: { ...from, Body: Readable.from(generated(size), { objectMode: false }) },
    }).done();
    await copyObject(client, from, to, size, { whole: 1024 ** 2, part: 6 * 1024 ** 2 });
    const { Body } = await client.send(new GetObjectCommand(to));
    expect(await digestOf(Body as AsyncIterable<Uint8Array>)).toEqual(await digestOf(generated(size)));
  });

  test('a bucket that is not there is named, without a key', async () => {
    const nowhere = openStorage(urlOf('s3://nowhere'), access);
    await expect(nowhere.check()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(nowhere.put(once('x'))).rejects.toMatchObject({
      code: 'upload-failed',
      message: expect.stringContaining('nowhere'),
    });
    await expect(nowhere.put(generated(20 * 1024 ** 2))).rejects.toMatchObject({ code: 'upload-failed' });
  });
});
