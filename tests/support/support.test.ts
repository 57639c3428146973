import { expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { freshDatabase } from './database.ts';
import { freshNamespace, temporalAddress } from './temporal.ts';
import { waitFor } from './wait.ts';

test('a fresh database is empty, is PostgreSQL 18, and is gone after drop', async () => {
  const database = await freshDatabase();
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query(
    "SELECT current_setting('server_version_num')::int AS version, (SELECT count(*)::int FROM information_schema.tables WHERE table_schema = 'public') AS tables",
  );
  expect(rows[0].version).toBeGreaterThanOrEqual(180_000);
  expect(rows[0].tables).toBe(0);
  await database.drop();
  await expect(client.query('SELECT 1')).rejects.toThrow();
  await client.end().catch(() => undefined);
  await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toMatchObject({
    code: '3D000',
  });
});

test('a fresh namespace takes a workflow with the search attributes at once, and two do not see each other', async () => {
  const connection = await Connection.connect({ address: temporalAddress() });
  const [one, other] = [await freshNamespace(), await freshNamespace()];
  const clients = [one, other].map((namespace) => new Client({ connection, namespace }));
  for (const client of clients) {
    await client.workflow.start('job', {
      taskQueue: 'nobody',
      workflowId: 'same-id',
      searchAttributes: { JobStatus: ['PENDING'] },
    });
  }
  for (const client of clients) {
    const found = await waitFor(
      async () => {
        const ids: string[] = [];
        for await (const { workflowId } of client.workflow.list({ query: 'JobStatus = "PENDING"' }))
          ids.push(workflowId);
        return ids.length > 0 ? ids : undefined;
      },
      { what: 'the workflow to be visible' },
    );
    expect(found).toEqual(['same-id']);
  }
  await connection.close();
});

test('waiting in vain says what for', async () => {
  await expect(waitFor(() => false, { timeoutMs: 50, what: 'the impossible' })).rejects.toThrow(
    'in vain for the impossible',
  );
});
