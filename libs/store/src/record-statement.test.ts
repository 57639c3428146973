import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OpenDatabase } from './database.ts';
import { recordStatement } from './record-statement.ts';
import { openFresh } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

test('a plan that is made while the tables are empty is good for full ones too', async () => {
  const client = await db.pool.connect();
  try {
    await client.query('set plan_cache_mode = force_generic_plan');
    await client.query(`prepare record (jsonb) as ${recordStatement.text}`);
    const { rows } = await client.query({ text: `explain execute record ('[]')`, rowMode: 'array' });
    const scans = rows.flat().filter((line: string) => / on jobs/.test(line));
    expect(scans.filter((line: string) => line.includes('Index Scan using jobs_pkey'))).toHaveLength(2);
    expect(scans.filter((line: string) => line.includes('Seq Scan') || line.includes('Bitmap'))).toEqual([]);
  } finally {
    client.release(true);
  }
});
