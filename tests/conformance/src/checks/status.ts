import { header, isMoment, must, mustBe } from '../expect.ts';
import type { Check } from '../kit.ts';

const strong = /^"[^"]+"$/;

export const status: Check[] = [
  {
    rule: 'S-1',
    title: 'Reading a job answers 200, whatever became of it',
    async run(kit) {
      for (const { id } of await Promise.all([kit.completed(), kit.failed(), kit.canceled()]))
        mustBe(await kit.ask(`/v1/jobs/${id}`), 200);
    },
  },
  {
    rule: 'S-2',
    title: 'The failure of a job is data: error has code, title and detail',
    async run(kit) {
      const { id } = await kit.failed();
      const answer = await kit.ask(`/v1/jobs/${id}`);
      const { status: became, error } = answer.body;
      must(became === 'FAILED', 'the status FAILED', answer);
      must(error?.code === 'execution-failed', 'the code execution-failed in error', answer);
      must(typeof error.title === 'string' && typeof error.detail === 'string', 'title and detail', answer);
    },
  },
  {
    rule: 'S-3',
    title: 'The ETag is strong, and is the revision',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await kit.ask(`/v1/jobs/${id}`);
      header(answer, 'etag', strong, 'a strong ETag');
      header(answer, 'etag', `"${answer.body.revision}"`);
    },
  },
  {
    rule: 'S-4',
    title: 'If-None-Match with the current ETag answers 304 without a body',
    async run(kit) {
      const { id } = await kit.completed();
      const { headers } = await kit.ask(`/v1/jobs/${id}`);
      const etag = headers.get('etag') ?? '';
      const answer = await kit.ask(`/v1/jobs/${id}`, { headers: { 'if-none-match': etag } });
      mustBe(answer, 304);
      must(answer.text === '', 'no body', answer);
      header(answer, 'etag', etag);
    },
  },
  {
    rule: 'S-5',
    title: 'If-None-Match with another ETag answers 200',
    async run(kit) {
      const { id } = await kit.completed();
      mustBe(await kit.ask(`/v1/jobs/${id}`, { headers: { 'if-none-match': '"0"' } }), 200);
    },
  },
  {
    rule: 'S-6',
    title: 'Each visible change raises the revision and changes the ETag',
    async run(kit) {
      const first = await kit.submitAnswer('echo');
      const last = await kit.until(first.body.id, 'COMPLETED', (job) => job.status === 'COMPLETED');
      must(last.body.revision > first.body.revision, `a revision above ${first.body.revision}`, last);
      must(last.headers.get('etag') !== first.headers.get('etag'), 'another ETag than at first', last);
    },
  },
  {
    rule: 'S-7',
    title: 'What does not change keeps its ETag',
    async run(kit) {
      const { id } = await kit.completed();
      const tags = [await kit.ask(`/v1/jobs/${id}`), await kit.ask(`/v1/jobs/${id}`)];
      const [one, two] = tags.map(({ headers }) => headers.get('etag'));
      must(one === two, `the ETag ${one} again`, await kit.ask(`/v1/jobs/${id}`));
    },
  },
  {
    rule: 'S-8',
    title: 'Retry-After is whole seconds from 1 to 10 while the job is not over',
    async run(kit) {
      const { id } = await kit.later();
      header(await kit.ask(`/v1/jobs/${id}`), 'retry-after', /^([1-9]|10)$/, 'whole seconds from 1 to 10');
    },
  },
  {
    rule: 'S-9',
    title: 'There is no Retry-After once the job is over',
    async run(kit) {
      for (const { id } of [await kit.completed(), await kit.failed()]) {
        const answer = await kit.ask(`/v1/jobs/${id}`);
        must(!answer.headers.has('retry-after'), 'no Retry-After', answer);
      }
    },
  },
  {
    rule: 'S-10',
    title: 'source and asOf say who vouches for the answer, and as of when',
    run: (kit) =>
      kit.whileRunning(async ({ id }) => {
        const answer = await kit.ask(`/v1/jobs/${id}`);
        must(['workflow', 'record'].includes(answer.body.source), 'source: workflow or record', answer);
        must(isMoment(answer.body.asOf), 'asOf: a moment of RFC 3339, in UTC', answer);
      }),
  },
  {
    rule: 'S-11',
    title: 'The links of a job lead somewhere',
    async run(kit) {
      const { id } = await kit.completed();
      const { links } = (await kit.ask(`/v1/jobs/${id}`)).body;
      for (const link of ['self', 'result', 'logs', 'history', 'events'])
        mustBe(await kit.ask(String(links[link])), 200);
    },
  },
  {
    rule: 'S-12',
    title: 'HEAD answers with the headers of GET, and no body',
    async run(kit) {
      const { id } = await kit.completed();
      const got = await kit.ask(`/v1/jobs/${id}`);
      const answer = await kit.ask(`/v1/jobs/${id}`, { method: 'HEAD' });
      mustBe(answer, 200);
      header(answer, 'etag', got.headers.get('etag') ?? strong);
    },
  },
  {
    rule: 'S-13',
    title: 'Progress is done, total, unit and message',
    async run(kit) {
      const { id } = await kit.counted();
      const answer = await kit.ask(`/v1/jobs/${id}`);
      const { done, total, unit } = answer.body.progress ?? {};
      must(done === 5 && total === 5 && unit === 'numbers', '5 of 5 numbers', answer);
    },
  },
  {
    rule: 'S-14',
    title: 'An answer may be kept, but not used without asking again',
    async run(kit) {
      const { id } = await kit.completed();
      header(await kit.ask(`/v1/jobs/${id}`), 'cache-control', 'private, no-cache');
    },
  },
];
