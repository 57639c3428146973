import { header, must, mustBe, mustRefuse } from '../expect.ts';
import type { Check } from '../kit.ts';

export const catalogue: Check[] = [
  {
    rule: 'K-1',
    title: 'GET /v1/functions lists what can be run, with the JSON Schema of its parameters',
    async run(kit) {
      const answer = await kit.ask('/v1/functions');
      mustBe(answer, 200);
      for (const { name, version, inputSchema } of answer.body.items)
        must(
          typeof name === 'string' && typeof version === 'string' && inputSchema.type === 'object',
          'functions',
          answer,
        );
    },
  },
  {
    rule: 'K-2',
    title: 'One version of a function has a path of its own',
    async run(kit) {
      const { items } = (await kit.ask('/v1/functions')).body;
      const answer = await kit.ask(`/v1/functions/${items[0].name}/${items[0].version}`);
      must(answer.body?.name === items[0].name, `the function ${items[0].name}`, answer);
      mustRefuse(await kit.ask('/v1/functions/no-such-function/1.0.0'), 404, 'not-found');
    },
  },
  {
    rule: 'K-3',
    title: '/openapi.json describes the API in OpenAPI 3.1',
    async run(kit) {
      const answer = await kit.ask('/openapi.json', { token: null });
      must(/^3\.1\./.test(answer.body?.openapi), 'OpenAPI 3.1', answer);
      must(answer.body.paths['/v1/jobs']?.post !== undefined, 'the submit', answer);
    },
  },
];

export const health: Check[] = [
  {
    rule: 'H-1',
    title: '/livez answers 200 without a key',
    async run(kit) {
      mustBe(await kit.ask('/livez', { token: null }), 200);
    },
  },
  {
    rule: 'H-2',
    title: '/readyz answers 200 without a key, or 503 with Retry-After, and says what was looked at',
    async run(kit) {
      const answer = await kit.ask('/readyz', { token: null });
      mustBe(answer, 200, 503);
      for (const check of ['database', 'migrations', 'temporal', 'worker'])
        must(typeof answer.body?.checks?.[check]?.ok === 'boolean', `the check ${check}`, answer);
      if (answer.status === 503) header(answer, 'retry-after', /^\d+$/);
    },
  },
];
