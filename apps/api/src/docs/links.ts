import type { OpenAPIObject } from '@nestjs/swagger';

type Link = { operationId: string; parameters: Record<string, string>; requestBody?: object };
type Answer = { content?: Record<string, { schema?: { $ref?: string } }>; links?: Record<string, Link> };
type Operation = {
  operationId: string;
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, Answer>;
};

/** Where each thing that operations make stands, and which of its fields name it there. */
const places: Record<string, { path: string; names: readonly string[] }> = {
  Job: { path: '/v1/jobs/{id}', names: ['id'] },
  Assignment: { path: '/v1/jobs/{id}', names: ['id', 'attempt'] },
  File: { path: '/v1/files/{id}', names: ['id'] },
  Agent: { path: '/v1/agents/{id}', names: ['id'] },
  Pool: { path: '/v1/pools/{name}', names: ['name'] },
  Function: { path: '/v1/functions/{name}/{version}', names: ['name', 'version'] },
  User: { path: '/v1/users/{id}', names: ['id'] },
  NewKey: { path: '/v1/keys/{id}', names: ['id'] },
  NewTenant: { path: '/v1/tenants/{id}', names: ['id'] },
};
/** What is answered with the thing that it makes, or hands over. */
const makers = ['registerAgent', 'putFunction', 'claimJob'];

/** Adds what can be done next with what an operation has made: OpenAPI's links, from the answer to all operations below its path. */
export function linkOperations({ paths }: Pick<OpenAPIObject, 'paths'>): void {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods as Record<string, Operation>).map((operation) => ({ path, operation })),
  );
  for (const { operation } of all) {
    for (const [status, answer] of Object.entries(operation.responses)) {
      const place = places[answer.content?.['application/json']?.schema?.$ref?.split('/').at(-1) ?? ''];
      const makes = status === '201' || (status === '200' && makers.includes(operation.operationId));
      if (place === undefined || !makes) continue;
      const below = all.filter(({ path }) => path.startsWith(place.path));
      answer.links = Object.fromEntries(
        below.map((next) => [next.operation.operationId, linkTo(next.operation, place.names)]),
      );
    }
  }
}

function linkTo({ operationId, parameters = [], requestBody }: Operation, names: readonly string[]): Link {
  const from = (name: string) => `$response.body#/${name}`;
  const known = parameters.filter((one) => names.includes(one.name));
  const link = {
    operationId,
    parameters: Object.fromEntries(known.map((one) => [`${one.in}.${one.name}`, from(one.name)])),
  };
  const sayable = names.includes('attempt') && requestBody?.content['application/json'] !== undefined;
  return sayable ? { ...link, requestBody: { attempt: from('attempt') } } : link;
}
