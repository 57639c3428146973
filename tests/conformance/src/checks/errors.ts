import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Answer } from '../client.ts';
import { header, must, mustRefuse } from '../expect.ts';
import type { Check, Kit } from '../kit.ts';
import { Broken } from '../outcome.ts';

const json = { 'content-type': 'application/json' };
const post = (kit: Kit, raw: string, headers: Record<string, string> = json) =>
  kit.ask('/v1/jobs', { raw, headers });

/** One problem of each kind that can be had cheaply. */
async function problems(kit: Kit): Promise<Answer[]> {
  const asked = [
    post(kit, '{'),
    kit.ask('/v1/jobs/%zz'),
    kit.ask('/v1/jobs', { token: null }),
    kit.ask(`/v1/jobs/${randomUUID()}`),
    kit.ask(`/v1/${randomUUID()}`),
    kit.ask('/v1/jobs', { method: 'DELETE' }),
    post(kit, 'a', { 'content-type': 'text/plain' }),
    post(kit, '{"function": 1}'),
    kit.later().then(({ id }) => kit.ask(`/v1/jobs/${id}/result`)),
    kit.later().then(({ id }) => kit.cancel(id, {}, { 'if-match': '"0"' })),
  ];
  return Promise.all(asked);
}

export const errors: Check[] = [
  {
    rule: 'P-1',
    title: 'Every refusal is application/problem+json',
    async run(kit) {
      for (const answer of await problems(kit))
        header(answer, 'content-type', /^application\/problem\+json$/, 'application/problem+json');
    },
  },
  {
    rule: 'P-2',
    title: 'A problem has type, title, status, detail, instance, code and traceId',
    async run(kit) {
      for (const answer of await problems(kit)) {
        const { type, title, status, detail, instance, code, traceId } = answer.body ?? {};
        for (const member of [type, title, detail, instance, code, traceId])
          must(typeof member === 'string' && member !== '', 'all members', answer);
        must(status === answer.status, `the member status: ${answer.status}`, answer);
      }
    },
  },
  {
    rule: 'P-3',
    title: 'The type of a problem is a URI that belongs to its code',
    async run(kit) {
      for (const answer of await problems(kit))
        must(answer.body?.type === `urn:perdure:error:${answer.body?.code}`, 'the type of the code', answer);
    },
  },
  {
    rule: 'P-4',
    title: 'The traceId of a problem is in X-Request-Id, and is the one that the caller sent',
    async run(kit) {
      const traceId = randomUUID().replaceAll('-', '');
      const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
      const answer = await kit.ask(`/v1/jobs/${randomUUID()}`, { headers: { traceparent } });
      header(answer, 'x-request-id', traceId);
      must(answer.body.traceId === traceId, `the traceId ${traceId}`, answer);
    },
  },
  {
    rule: 'P-5',
    title: 'A body that is no JSON is refused with 400',
    async run(kit) {
      mustRefuse(await post(kit, '{"function": '), 400, 'malformed-request');
    },
  },
  {
    rule: 'P-6',
    title: 'JSON that is nested too deep is refused with 400',
    async run(kit) {
      const deep = `{"function":"echo","parameters":{"a":${'['.repeat(3_000)}${']'.repeat(3_000)}}}`;
      mustRefuse(await post(kit, deep), 400, 'malformed-request');
    },
  },
  {
    rule: 'P-7',
    title: 'A URL that cannot be read is refused with 400',
    async run(kit) {
      mustRefuse(await kit.ask('/v1/jobs/%zz'), 400, 'malformed-request');
    },
  },
  {
    rule: 'P-8',
    title: 'Another media type than JSON is refused with 415',
    async run(kit) {
      mustRefuse(
        await post(kit, 'function=echo', { 'content-type': 'text/plain' }),
        415,
        'unsupported-media-type',
      );
    },
  },
  {
    rule: 'P-9',
    title: 'An unknown field is refused with 422, and named',
    async run(kit) {
      const answer = await kit.submitAnswer('echo', {}, { colour: 'red' });
      mustRefuse(answer, 422, 'invalid-request', '/colour');
    },
  },
  {
    rule: 'P-10',
    title: 'An id that can be none is refused with 422',
    async run(kit) {
      mustRefuse(await kit.ask('/v1/jobs/a%20b'), 422, 'invalid-request', 'path/id');
      mustRefuse(await kit.submitAnswer('echo', {}, { id: 'no-uuid' }), 422, 'invalid-request', '/id');
    },
  },
  {
    rule: 'P-11',
    title: 'A known path with another method is refused with 405 and Allow',
    async run(kit) {
      const answer = await kit.ask('/v1/jobs', { method: 'DELETE' });
      mustRefuse(answer, 405, 'method-not-allowed');
      const allow = header(answer, 'allow', /./).split(/\s*,\s*/);
      must(
        allow.includes('GET') && allow.includes('POST'),
        'Allow with GET and POST',
        answer,
        allow.join(', '),
      );
    },
  },
  {
    rule: 'P-12',
    title: 'A body that is too large is refused with 413 before it was sent',
    async run(kit) {
      const status = await announce(kit, 10 * 1024 ** 3);
      if (status !== 413) throw new Broken('the status 413 to the headers alone', String(status));
    },
  },
  {
    rule: 'P-13',
    title: 'An unknown id or path is refused with 404',
    async run(kit) {
      mustRefuse(await kit.ask(`/v1/jobs/${randomUUID()}`), 404, 'not-found');
      mustRefuse(await kit.ask(`/v1/${randomUUID()}`), 404, 'not-found');
    },
  },
];

/** Announces a body of so many bytes, sends none of it, and answers the status that comes. */
function announce({ base, token }: Kit, bytes: number): Promise<number | string> {
  const ask = base.startsWith('https:') ? httpsRequest : httpRequest;
  const headers = { ...json, authorization: `Bearer ${token}`, 'content-length': bytes };
  return new Promise((resolve) => {
    const request = ask(`${base}/v1/jobs`, { method: 'POST', headers, timeout: 5_000 });
    const finish = (what: number | string): void => {
      resolve(what);
      request.destroy();
    };
    request.on('response', ({ statusCode }) => finish(statusCode ?? 0));
    request.on('timeout', () => finish('no answer within 5 s'));
    request.on('error', ({ message }) => finish(message));
    request.flushHeaders();
  });
}
