import { CompiledQuery } from 'kysely';
import type { Database } from '../database.ts';

export type Plan = { Plans?: Plan[]; [property: string]: unknown };

export function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** Keeps the statements that are executed, to run them again with `explain`. */
export function explaining(plain: Database): { db: Database; plans(): Promise<Plan[]> } {
  const seen: { sql: string; parameters: readonly unknown[] }[] = [];
  const kysely = plain.kysely.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: ({ result }) => Promise.resolve(result),
  });
  const executor = kysely.getExecutor();
  const compile = executor.compileQuery.bind(executor);
  executor.compileQuery = (node, id) => {
    const query = compile(node, id);
    seen.push({ sql: query.sql, parameters: query.parameters });
    return query;
  };
  return {
    db: { kysely },
    plans: () =>
      Promise.all(
        seen.map(async (query) => {
          const explain = CompiledQuery.raw(`explain (analyze, format json) ${query.sql}`, [
            ...query.parameters,
          ]);
          const { rows } = await plain.kysely
            .withoutPlugins()
            .executeQuery<{ 'QUERY PLAN': [{ Plan: Plan }] }>(explain);
          return rows[0]?.['QUERY PLAN'][0].Plan ?? {};
        }),
      ),
  };
}
