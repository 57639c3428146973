import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { startApi, type TestApi } from './testing/api.ts';

type Schema = { [key: string]: unknown };
type Parameter = { name: string; in: string };
type Link = { operationId: string; parameters: Record<string, string>; requestBody?: Schema };
type Operation = {
  operationId: string;
  parameters: Parameter[];
  responses: Record<
    string,
    { description: string; content?: Record<string, { schema: Schema }>; links?: Record<string, Link> }
  >;
};
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

let api: TestApi;
let document: Document;
beforeAll(async () => {
  api = await startApi();
  document = (await api.ask<Document>('/openapi.json')).body;
});
afterAll(() => api.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ path, method, ...one })),
  );

test('the document is OpenAPI 3.1 with all operations', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(operations().map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining([
      'post /v1/jobs',
      'get /v1/jobs/{id}',
      'post /v1/jobs/{id}:cancel',
      'get /v1/files/{id}/content',
      'get /readyz',
    ]),
  );
  const ids = operations().map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, target]) => target ?? '',
  );
  expect(references.length).toBeGreaterThan(50);
  for (const target of references) {
    expect(target).toMatch(/^#\/components\/schemas\//);
    expect(Object.keys(document.components.schemas)).toContain(target.split('/').at(-1));
  }
});

test('every schema is valid JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    validateFormats: false,
  });
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    const inlined = { $defs: document.components.schemas, ...schema };
    const text = JSON.stringify(inlined).replaceAll('#/components/schemas/', '#/$defs/');
    expect([name, ajv.validateSchema(JSON.parse(text))]).toEqual([name, true]);
    expect(() => ajv.compile(JSON.parse(text))).not.toThrow();
  }
});

test('every answer from 400 on is a problem', () => {
  for (const { path, method, responses } of operations()) {
    for (const [status, { content }] of Object.entries(responses)) {
      if (Number(status) < 400) continue;
      expect([method, path, status, Object.keys(content ?? {})]).toEqual([
        method,
        path,
        status,
        ['application/problem+json'],
      ]);
    }
  }
});

test('what an operation makes is linked to all that can be done with it', () => {
  const byId = new Map(operations().map((one) => [one.operationId, one]));
  const links = operations().flatMap(({ responses }) =>
    Object.values(responses).flatMap((response) => Object.values(response.links ?? {})),
  );
  for (const { operationId, parameters } of links) {
    const known = byId.get(operationId)?.parameters.map((one) => `${one.in}.${one.name}`);
    expect(known).toEqual(expect.arrayContaining(Object.keys(parameters)));
    expect(Object.keys(parameters)).toContainEqual(expect.stringMatching(/^path\./));
  }
  const after = (id: string, status: string) => Object.keys(byId.get(id)?.responses[status]?.links ?? {});
  expect(after('submitJob', '201')).toEqual(
    expect.arrayContaining(['getJob', 'cancelJob', 'getLogs', 'getResult', 'rerunJob']),
  );
  expect(after('claimJob', '200')).toEqual(expect.arrayContaining(['reportJob', 'completeJob']));
  expect(byId.get('claimJob')?.responses['200']?.links?.['completeJob']).toEqual({
    operationId: 'completeJob',
    parameters: { 'path.id': '$response.body#/id' },
    requestBody: { attempt: '$response.body#/attempt' },
  });
  for (const id of ['uploadFile', 'createUser', 'createKey', 'createPool', 'createTenant', 'rerunJob'])
    expect([id, after(id, '201').length > 0]).toEqual([id, true]);
});

test('no header is told of that OpenAPI would have tools ignore', () => {
  const headers = operations().flatMap(({ parameters }) => parameters.filter((one) => one.in === 'header'));
  expect(headers.map(({ name }) => name)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(accept|content-type|authorization)$/i)]),
  );
});

test('what the API answers is what the document says', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: document.components });
  for (const [path, name] of [
    ['/v1/me', 'Me'],
    ['/v1/keys', 'KeyPage'],
    ['/v1/functions', 'FunctionList'],
    ['/v1/agents', 'AgentList'],
    ['/v1/jobs', 'JobPage'],
    ['/livez', 'Live'],
    ['/nothing', 'Problem'],
    ['/readyz', 'Problem'],
  ]) {
    const { body } = await api.ask(path ?? '');
    const validate = ajv.compile({ $ref: `api#/components/schemas/${name}` });
    expect([path, validate(body), validate.errors]).toEqual([path, true, null]);
  }
});

test('/docs loads nothing from elsewhere', async () => {
  const page = await api.ask('/docs', { key: null });
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '');
  expect(sources.length).toBeGreaterThan(2);
  for (const source of sources) {
    expect(source).toMatch(/^\/docs\//);
    expect((await api.ask(source, { key: null })).status).toBe(200);
  }
  expect(page.headers.get('content-security-policy')).not.toMatch(/https?:/);
});
