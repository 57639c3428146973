import { compareVersions } from '@perdure/job/ids';
import { type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { jsonText, storableText } from './json-text.ts';
import type { FunctionRecord, Untimed } from './records.ts';
import type { Schema } from './schema.ts';
import { milliseconds } from './times.ts';

/** Writes functions to the catalogue, over what stood there for the same tenant, name and version. */
export async function announceFunctions(
  db: Database,
  functions: readonly Untimed<FunctionRecord, 'registeredAt'>[],
): Promise<void> {
  if (functions.length === 0) return;
  const rows = new Map(functions.map((one) => [`${one.name}@${one.version} ${one.tenantId}`, toRow(one)]));
  await db.kysely
    .insertInto('functions')
    // Agents that start together announce the same functions: in one order, or they would wait for each other.
    .values([...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row))
    .onConflict((conflict) =>
      conflict.columns(['name', 'version', 'tenantId']).doUpdateSet((update) => ({
        description: update.ref('excluded.description'),
        inputSchema: update.ref('excluded.inputSchema'),
        outputSchema: update.ref('excluded.outputSchema'),
        result: update.ref('excluded.result'),
        tool: update.ref('excluded.tool'),
        operatingSystems: update.ref('excluded.operatingSystems'),
      })),
    )
    .execute();
}

/** The functions a tenant may use: its own and everybody's, by name, newest version first. */
export async function listFunctions(db: Database, tenantId: string): Promise<FunctionRecord[]> {
  return usable(await usableRows(db, tenantId).execute());
}

/** Without a version the newest. */
export async function getFunction(
  db: Database,
  tenantId: string,
  name: string,
  version?: string,
): Promise<FunctionRecord | undefined> {
  const rows = await usableRows(db, tenantId)
    .where('name', '=', name)
    .$if(version !== undefined, (query) => query.where('version', '=', version ?? ''))
    .execute();
  return usable(rows)[0];
}

function usableRows(db: Database, tenantId: string) {
  return (
    db.kysely
      .selectFrom('functions')
      .selectAll()
      .where((where) => where.or([where('tenantId', '=', tenantId), where('tenantId', 'is', null)]))
      // Everybody's last: the tenant's own takes the place of one that has the same name and version.
      .orderBy('name')
      .orderBy(sql`tenant_id nulls last`)
  );
}

function usable(rows: readonly Selectable<Schema['functions']>[]): FunctionRecord[] {
  const byVersion = new Map<string, FunctionRecord>();
  for (const row of rows) {
    const key = `${row.name}@${row.version}`;
    if (!byVersion.has(key)) byVersion.set(key, { ...row, registeredAt: milliseconds(row.registeredAt) });
  }
  return [...byVersion.values()].sort((a, b) =>
    a.name === b.name ? compareVersions(a.version, b.version) : a.name < b.name ? -1 : 1,
  );
}

function toRow(one: Untimed<FunctionRecord, 'registeredAt'>) {
  const { tenantId, name, version, description, inputSchema, outputSchema, result, tool, operatingSystems } =
    one;
  return {
    tenantId,
    name,
    version,
    description: storableText(description),
    inputSchema: jsonText(inputSchema),
    outputSchema: outputSchema && jsonText(outputSchema),
    result,
    tool: tool && jsonText(tool),
    operatingSystems: operatingSystems && jsonText(operatingSystems),
  };
}
