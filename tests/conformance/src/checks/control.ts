import { must, mustBe, mustRefuse } from '../expect.ts';
import { type Check, inAnHour } from '../kit.ts';

export const control: Check[] = [
  {
    rule: 'C-1',
    title: 'A cancel of a job that runs answers 202, and the job ends as CANCELED',
    run: (kit) =>
      kit.whileRunning(async ({ id }) => {
        const answer = await kit.cancel(id, {});
        mustBe(answer, 202);
        must(answer.body.id === id, 'the job', answer);
        const last = await kit.until(id, 'over', ({ endedAt }) => endedAt !== null);
        must(last.body.status === 'CANCELED', 'the status CANCELED', last);
      }),
  },
  {
    rule: 'C-2',
    title: 'A cancel of a job that is over answers 200 and changes nothing',
    async run(kit) {
      const { id, revision } = await kit.completed();
      const answer = await kit.cancel(id);
      mustBe(answer, 200);
      must(
        answer.body.status === 'COMPLETED' && answer.body.revision === revision,
        'the job unchanged',
        answer,
      );
    },
  },
  {
    rule: 'C-3',
    title: 'A cancel may be repeated',
    run: (kit) =>
      kit.whileRunning(async ({ id }) => {
        await kit.cancel(id, {});
        mustBe(await kit.cancel(id, {}), 202, 200);
        await kit.until(id, 'CANCELED', (job) => job.status === 'CANCELED');
      }),
  },
  {
    rule: 'C-4',
    title: 'If-Match with another ETag is refused with 412, and nothing is done',
    async run(kit) {
      const { id } = await kit.submit('echo', {}, { notBefore: inAnHour() });
      mustRefuse(await kit.cancel(id, {}, { 'if-match': '"0"' }), 412, 'precondition-failed');
      const seen = await kit.ask(`/v1/jobs/${id}`);
      must(seen.body.cancelRequestedAt === null, 'a job that nobody cancels', seen);
    },
  },
  {
    rule: 'C-5',
    title: 'If-Match with the current ETag lets a cancel through',
    async run(kit) {
      const { id } = await kit.completed();
      const { headers } = await kit.ask(`/v1/jobs/${id}`);
      mustBe(await kit.cancel(id, {}, { 'if-match': headers.get('etag') ?? '' }), 200);
    },
  },
  {
    rule: 'C-6',
    title: 'A reassign of a job that runs answers 202, and another attempt takes it',
    run: (kit) =>
      kit.whileRunning(async ({ id, attempt }) => {
        const json = { anyone: true, graceSeconds: 0, reason: 'conformance' };
        mustBe(await kit.ask(`/v1/jobs/${id}:reassign`, { json }), 202);
        await kit.until(id, 'taken again', (job) => job.attempt > attempt);
      }),
  },
  {
    rule: 'C-7',
    title: 'A reassign of a job that is over is refused with 409',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await kit.ask(`/v1/jobs/${id}:reassign`, { json: { anyone: true } });
      mustRefuse(answer, 409, 'transition-refused');
    },
  },
  {
    rule: 'C-8',
    title: 'A reassign names exactly one of agentId, pool and anyone, and one that exists',
    async run(kit) {
      const { id } = await kit.later();
      const at = (json: object) => kit.ask(`/v1/jobs/${id}:reassign`, { json });
      mustRefuse(await at({}), 422, 'invalid-request');
      mustRefuse(await at({ anyone: true, pool: 'any-pool' }), 422, 'invalid-request');
      mustRefuse(await at({ agentId: 'nobody-of-this-name' }), 422, 'unknown-agent', '/agentId');
      mustRefuse(await at({ pool: 'no-pool-of-this-name' }), 422, 'unknown-pool', '/pool');
    },
  },
  {
    rule: 'C-9',
    title: 'The reason of a cancel stands in the history',
    run: (kit) =>
      kit.whileRunning(async ({ id }) => {
        await kit.cancel(id, { reason: 'kit says so', mode: 'force' });
        await kit.ended(id);
        const answer = await kit.ask(`/v1/jobs/${id}/history`);
        must(answer.text.includes('kit says so'), 'an event with the reason', answer);
      }),
  },
];
