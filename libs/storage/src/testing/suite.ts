import { randomUUID } from 'node:crypto';

import { expect, test } from '@jest/globals';

import type { Storage } from '../contract.ts';
import { broken, digestOf, generated, once, sha256Of, stalled, textOf } from './bytes.ts';

export type Judged = {
  storage: () => Storage;
  /** Names of everything that is there: what is stored, and what is not yet. */
  names: () => Promise<string[]>;
};

const MiB = 1024 ** 2;
/** Above one part of a multipart upload, so that large and small ways are both judged. */
const sizes = [0, 1, 100_000, 8 * MiB, 8 * MiB + 1, 20 * MiB];

/** What every storage must do. */
export function judge({ storage, names }: Judged): void {
  test.each(sizes)('%i bytes come back as they were', async (size) => {
    const expected = await digestOf(generated(size));
    expect(await storage().put(generated(size), { expectedSha256: expected.sha256 })).toEqual(expected);
    expect(await storage().size(expected.sha256)).toBe(size);
    expect(await digestOf(await storage().read(expected.sha256))).toEqual(expected);
  });

  test('the same bytes are stored once, and putting them again is no error', async () => {
    const before = await names();
    const [one, two, three] = await Promise.all(
      ['same', 'same', 'same'].map((text) => storage().put(once(text))),
    );
    expect(one).toEqual({ sha256: sha256Of('same'), size: 4 });
    expect([two, three]).toEqual([one, one]);
    expect(await names()).toHaveLength(before.length + 1);
  });

  test('a range has both ends in it, and an end behind the last byte is the last byte', async () => {
    const { sha256 } = await storage().put(once('0123456789'));
    expect(await textOf(await storage().read(sha256, { start: 2, end: 4 }))).toBe('234');
    expect(await textOf(await storage().read(sha256, { start: 8, end: 99 }))).toBe('89');
    expect(await textOf(await storage().read(sha256, { start: 0, end: 0 }))).toBe('0');
  });

  test('a range outside is refused', async () => {
    const { sha256 } = await storage().put(once('0123456789'));
    const refused = expect.objectContaining({ code: 'range-not-satisfiable' });
    await expect(storage().read(sha256, { start: 10, end: 12 })).rejects.toEqual(refused);
    await expect(storage().read(sha256, { start: 5, end: 4 })).rejects.toEqual(refused);
    await expect(storage().read(sha256, { start: -1, end: 4 })).rejects.toEqual(refused);
  });

  test.each([sha256Of('never stored'), '../../etc/passwd', '', 'A'.repeat(64)])(
    '%j is not found',
    async (name) => {
      expect(await storage().has(name)).toBe(false);
      expect(await storage().size(name)).toBeUndefined();
      await expect(storage().read(name)).rejects.toMatchObject({ code: 'not-found' });
      await expect(storage().remove(name)).resolves.toBeUndefined();
    },
  );

  test('parts of an upload come back as they were, and go together', async () => {
    const before = await names();
    const [upload, other] = [randomUUID(), randomUUID()];
    const parts = [randomUUID(), randomUUID()];
    for (const part of parts) await storage().putPart(upload, part, Buffer.from(`part ${part}`));
    await storage().putPart(other, parts[0] ?? '', Buffer.from('of another upload'));
    for (const part of parts)
      expect(await textOf(await storage().readPart(upload, part))).toBe(`part ${part}`);
    await storage().removeParts(upload);
    await expect(storage().readPart(upload, parts[0] ?? '')).rejects.toMatchObject({ code: 'not-found' });
    expect(await textOf(await storage().readPart(other, parts[0] ?? ''))).toBe('of another upload');
    await storage().removeParts(other);
    await storage().removeParts(other);
    expect(await names()).toEqual(before);
  });

  test('what is removed is gone', async () => {
    const { sha256 } = await storage().put(once('short-lived'));
    expect(await storage().has(sha256)).toBe(true);
    await storage().remove(sha256);
    expect(await storage().has(sha256)).toBe(false);
  });

  test.each([10, 9 * MiB])(
    'bytes over the limit of %i are refused, and nothing is left of them',
    async (maxBytes) => {
      const before = await names();
      await expect(storage().put(generated(maxBytes + 1), { maxBytes })).rejects.toMatchObject({
        code: 'payload-too-large',
      });
      expect(await names()).toEqual(before);
      await storage().put(generated(maxBytes), { maxBytes });
    },
  );

  test.each([20, 9 * MiB + 7])(
    '%i bytes of another digest are refused, and nothing is left of them',
    async (size) => {
      const before = await names();
      const expectedSha256 = sha256Of('something else');
      await expect(storage().put(generated(size), { expectedSha256 })).rejects.toMatchObject({
        code: 'digest-mismatch',
      });
      expect(await names()).toEqual(before);
    },
  );

  test.each([1_000, 17 * MiB])(
    'a source that breaks after %i bytes leaves nothing, and its error is passed on',
    async (size) => {
      const before = await names();
      await expect(storage().put(broken(generated(size)))).rejects.toMatchObject({
        message: 'the connection broke',
      });
      expect(await names()).toEqual(before);
    },
  );

  test.each([1_000, 17 * MiB])(
    'a put that is aborted while its source stalls after %i bytes leaves nothing',
    async (size) => {
      const before = await names();
      const stop = new AbortController();
      const reason = new Error('canceled');
      const put = storage().put(stalled(abortAtEnd(generated(size), stop, reason)), { signal: stop.signal });
      await expect(put).rejects.toBe(reason);
      expect(await names()).toEqual(before);
    },
  );

  test.each([1_001, 17 * MiB + 1])(
    '%i bytes are announced before anybody can see them, and told of once they are there',
    async (size) => {
      const { sha256 } = await digestOf(generated(size));
      const seen: [string, boolean][] = [];
      const see = async (when: string) => void seen.push([when, await storage().has(sha256)]);
      const announce = async (digest: string) => {
        await see(digest);
        return () => see('there');
      };
      await storage().put(generated(size), { announce });
      expect(seen).toEqual([
        [sha256, false],
        ['there', true],
      ]);
      await storage().remove(sha256);
      const before = await names();
      const refused = new Error('not now');
      await expect(storage().put(generated(size), { announce: () => Promise.reject(refused) })).rejects.toBe(
        refused,
      );
      expect(await names()).toEqual(before);
    },
  );

  test('what can be used says so', async () => {
    await expect(storage().check()).resolves.toBeUndefined();
  });
}

async function* abortAtEnd(
  bytes: AsyncIterable<Uint8Array>,
  stop: AbortController,
  reason: Error,
): AsyncGenerator<Uint8Array> {
  yield* bytes;
  setImmediate(() => stop.abort(reason));
}
