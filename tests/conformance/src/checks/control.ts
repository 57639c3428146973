import type { Json } from '../client.ts';
import { header, isMoment, must, mustBe, mustRefuse } from '../expect.ts';
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
  {
    rule: 'C-10',
    title: 'A rerun of a job that is over answers 201 with a new job, and each names the other',
    async run(kit) {
      const { id } = await kit.ended((await kit.submit('echo', { again: true })).id);
      const answer = await kit.ask(`/v1/jobs/${id}:rerun`, { json: {} });
      mustBe(answer, 201);
      header(answer, 'location', `/v1/jobs/${answer.body.id}`);
      must(answer.body.rerunOf === id && answer.body.id !== id, `a new job that is a rerun of ${id}`, answer);
      const seen = await kit.ask(`/v1/jobs/${id}`);
      must(seen.body.reruns.includes(answer.body.id), `the rerun ${answer.body.id} in reruns`, seen);
    },
  },
  {
    rule: 'C-11',
    title: 'A rerun of a job that is not over is refused with 409',
    async run(kit) {
      const { id } = await kit.later();
      mustRefuse(await kit.ask(`/v1/jobs/${id}:rerun`, { json: {} }), 409, 'transition-refused');
    },
  },
  {
    rule: 'C-12',
    title: 'An archived job leaves the lists, stays at its place, and comes back when it is restored',
    async run(kit) {
      const { id } = await kit.ended((await kit.submit('echo', { archived: true })).id);
      const move = (verb: string) => kit.ask(`/v1/jobs/${id}:${verb}`, { json: { reason: 'conformance' } });
      const isListed = async () =>
        (await kit.ask('/v1/jobs?function=echo&pageSize=200')).body.items.some((job: Json) => job.id === id);
      const archived = await move('archive');
      mustBe(archived, 200);
      must(isMoment(archived.body.archivedAt), 'archivedAt', archived);
      must(!(await isListed()), 'a list without the job', archived, 'it is listed');
      must((await kit.ask(`/v1/jobs/${id}`)).status === 200, 'the job at its place', archived);
      const restored = await move('restore');
      must(restored.status === 200 && restored.body.archivedAt === null, 'no archivedAt', restored);
      must(await isListed(), 'the job in the list', restored, 'it is not listed');
    },
  },
  {
    rule: 'C-13',
    title: 'A second archive answers 200 and changes nothing',
    async run(kit) {
      const { id } = await kit.ended((await kit.submit('echo', { archived: 'twice' })).id);
      const archive = () => kit.ask(`/v1/jobs/${id}:archive`, { json: {} });
      const { body: first } = await archive();
      const second = await archive();
      mustBe(second, 200);
      must(second.body.revision === first.revision, `the revision ${first.revision}`, second);
    },
  },
  {
    rule: 'C-14',
    title: 'An archive of a job that is not over is refused with 409',
    async run(kit) {
      const { id } = await kit.later();
      mustRefuse(await kit.ask(`/v1/jobs/${id}:archive`, { json: {} }), 409, 'transition-refused');
    },
  },
];
