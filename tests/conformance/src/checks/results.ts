import { header, must, mustBe, mustRefuse, same } from '../expect.ts';
import type { Check } from '../kit.ts';

export const results: Check[] = [
  {
    rule: 'R-1',
    title: 'The result of a job that is not over is refused with 409 job-not-finished and Retry-After',
    async run(kit) {
      const { id } = await kit.later();
      const answer = await kit.ask(`/v1/jobs/${id}/result`);
      mustRefuse(answer, 409, 'job-not-finished');
      header(answer, 'retry-after', /^([1-9]|10)$/, 'whole seconds from 1 to 10');
    },
  },
  {
    rule: 'R-2',
    title: 'The result of a job that failed is refused with 409, and the problem has its error',
    async run(kit) {
      const { id, error } = await kit.failed();
      const answer = await kit.ask(`/v1/jobs/${id}/result`);
      mustRefuse(answer, 409, 'job-not-completed');
      must(same(answer.body.error, error), 'the error of the job', answer);
    },
  },
  {
    rule: 'R-3',
    title: 'The result of a job that was canceled is refused with 409',
    async run(kit) {
      const { id } = await kit.canceled();
      mustRefuse(await kit.ask(`/v1/jobs/${id}/result`), 409, 'job-not-completed');
    },
  },
  {
    rule: 'R-4',
    title: 'The result of a job that completed is what the function returned',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await kit.ask(`/v1/jobs/${id}/result`);
      mustBe(answer, 200);
      header(answer, 'content-type', /^application\/json/);
      must(same(answer.body, { echo: { hello: 'world' } }), 'the output of the function', answer);
    },
  },
  {
    rule: 'R-6',
    title: 'The result has an ETag, and If-None-Match with it answers 304',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await kit.ask(`/v1/jobs/${id}/result`);
      const etag = header(answer, 'etag', /^"[^"]+"$/, 'a strong ETag');
      const again = await kit.ask(`/v1/jobs/${id}/result`, { headers: { 'if-none-match': etag } });
      must(again.status === 304 && again.text === '', 'the status 304 without a body', again);
    },
  },
];
