import { expect, test } from '@jest/globals';
import { readEnvironment } from '@perdure/config/environment';
import { openDatabase, pendingMigrations } from '@perdure/store/database';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freshDatabase } from '../../../tests/support/database.ts';

const program = fileURLToPath(new URL('./migrate.ts', import.meta.url));

function runMigrate(url: string): Promise<{ code: number; said: string }> {
  const env = { ...readEnvironment(), DATABASE_URL: url };
  return new Promise((resolve) => {
    execFile(process.execPath, [program], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, said: `${stdout}${stderr}`.trim() }),
    );
  });
}

test('npm run migrate brings an empty database up to date, and leaves one that is', async () => {
  const { url, drop } = await freshDatabase();
  try {
    const first = await runMigrate(url);
    expect(first).toEqual({ code: 0, said: expect.stringMatching(/^applied 0001-/) });
    expect(await runMigrate(url)).toEqual({ code: 0, said: 'the database is up to date' });
    const db = openDatabase(url);
    expect(await pendingMigrations(db)).toEqual([]);
    await db.close();
  } finally {
    await drop();
  }
});

test('npm run migrate without a database says which variable to set', async () => {
  const { code, said } = await runMigrate('');
  expect(code).toBe(1);
  expect(said).toContain('DATABASE_URL is missing. Set it to the address of a PostgreSQL database');
});
