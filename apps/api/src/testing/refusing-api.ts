import { afterAll, beforeAll, expect } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { waitFor } from '../../../../tests/support/wait.ts';
import { startApi, type TestApi } from './api.ts';
import { announceAll } from './catalogue.ts';

/** An API with low limits; when the tests of a file are over, all that they sent must have left nothing behind. */
export function refusingApi(): () => TestApi {
  let opened: TestApi | undefined;
  const api = (): TestApi => {
    if (opened === undefined) throw new Error('the API is not started yet');
    return opened;
  };
  beforeAll(async () => {
    opened = await startApi({ MAX_JSON_BYTES: '20000', MAX_FILE_BYTES: '1000' });
    await announceAll(opened.db);
  });
  afterAll(async () => {
    const { items } = (await api().ask<{ items: unknown[] }>('/v1/jobs')).body;
    expect(items).toEqual([]);
    expect(await api().db.kysely.selectFrom('files').selectAll().execute()).toEqual([]);
    await waitFor(
      async () => {
        const left = await readdir(api().folder, { recursive: true, withFileTypes: true });
        return left.every((entry) => !entry.isFile());
      },
      { what: 'no bytes to be left' },
    );
    await api().stop();
  });
  return api;
}
