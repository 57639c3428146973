import type { Problem } from '@perdure/job/schemas';
import type { ApiWithoutWorkers } from '../api-without-workers.ts';
import { type Caller, callers, expectedOf } from './expected.ts';
import { operations, type Row } from './operations.ts';
import type { Scene } from './scene.ts';

export type Operation = { id: string; method: string; path: string };

/** Where an answer is another than expected. */
export type Surprise = { operation: string; caller: Caller; expected: string; came: string };

/** The operations of the document that the server itself serves. */
export async function documented(api: ApiWithoutWorkers): Promise<Operation[]> {
  const { body } = await api.ask<{ paths: Record<string, Record<string, { operationId: string }>> }>(
    '/openapi.json',
  );
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => {
      return { id: operationId, method: method.toUpperCase(), path };
    }),
  );
}

/** Asks for everything, or for `some` operations alone, as everybody, one operation after the other. */
export async function walk(
  api: ApiWithoutWorkers,
  { things, keys }: Scene,
  some?: readonly string[],
): Promise<Surprise[]> {
  const surprises: Surprise[] = [];
  for (const operation of await documented(api)) {
    const row = operations[operation.id];
    if (row === undefined || some?.includes(operation.id) === false) continue;
    const ids = Object.entries(row.path ?? {}).map(([name, thing]) => [name, things[thing]] as const);
    const asked = callers.map((caller) => look(api, operation, row, ids, caller, keys[caller]));
    surprises.push(...(await Promise.all(asked)).flat());
  }
  return surprises;
}

type Ids = readonly (readonly [name: string, value: string])[];

async function look(
  api: ApiWithoutWorkers,
  operation: Operation,
  row: Row,
  ids: Ids,
  caller: Caller,
  key: string | null,
): Promise<Surprise[]> {
  const expected = expectedOf(row.who, caller);
  const ask = async (some: Ids) => {
    const path = some.reduce((filled, [name, value]) => filled.replace(`{${name}}`, value), operation.path);
    const { method } = operation;
    return api.ask<Partial<Problem>>(`${path}${row.query ?? ''}`, { ...row, method, key });
  };
  const answer = await ask(ids);
  const surprise = (wanted: string, came: string): Surprise[] => [
    { operation: operation.id, caller, expected: wanted, came },
  ];
  const status = expected === 'ok' ? row.status : expected;
  if (answer.status !== status)
    return surprise(String(status), `${answer.status} ${answer.text.slice(0, 200)}`);
  if (expected !== 404) return [];
  const [first, ...rest] = ids;
  const none = await ask(first === undefined ? [] : [[first[0], unknown(first[1])], ...rest]);
  const [one, other] = [told(answer.body), told(none.body)];
  return none.status === 404 && one === other ? [] : surprise(`${none.status} ${other}`, `404 ${one}`);
}

/** Of the same form. */
const unknown = (id: string): string => `${id.slice(0, -8)}00000000`;

/** What a problem says, but for what names the request. */
function told({ instance: _path, traceId: _trace, ...problem }: Partial<Problem>): string {
  return JSON.stringify(problem);
}

/** A path of the router, as the document writes it. */
export function asDocumented(url: string): string {
  return url.replaceAll(/::|:(\w+)(?:\(\^?.*?\))?/g, (token, name?: string) =>
    token === '::' ? ':' : `{${name}}`,
  );
}
