import { randomUUID } from 'node:crypto';
import type { Answer, Json } from '../client.ts';
import { header, must, mustBe, mustRefuse, same } from '../expect.ts';
import { type Check, terminal } from '../kit.ts';

const key = () => ({ 'idempotency-key': randomUUID() });

export const submit: Check[] = [
  {
    rule: 'U-1',
    title: 'A submit answers 201 with Location and the job',
    async run(kit) {
      const answer = await kit.submitAnswer('echo');
      mustBe(answer, 201);
      header(answer, 'location', new RegExp(`/v1/jobs/${answer.body.id}$`));
      must(same(answer.body.labels, kit.labels), 'the job with its labels', answer);
    },
  },
  {
    rule: 'U-2',
    title: 'A repeat with the same Idempotency-Key and body answers 200 with the first job',
    async run(kit) {
      const headers = key();
      const first = await kit.submitAnswer('echo', { a: 1 }, {}, headers);
      const again = await kit.submitAnswer('echo', { a: 1 }, {}, headers);
      mustBe(again, 200);
      must(again.body.id === first.body.id, `the job ${first.body.id}`, again);
    },
  },
  {
    rule: 'U-3',
    title: 'The same Idempotency-Key with another body is refused with 422',
    async run(kit) {
      const headers = key();
      await kit.submitAnswer('echo', { a: 1 }, {}, headers);
      mustRefuse(await kit.submitAnswer('echo', { a: 2 }, {}, headers), 422, 'idempotency-key-reused');
    },
  },
  {
    rule: 'U-4',
    title: 'Requests with one Idempotency-Key that come at once make one job',
    async run(kit) {
      const headers = key();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => kit.submitAnswer('echo', {}, {}, headers)),
      );
      const [first] = answers;
      for (const answer of answers)
        must(answer.status < 300 && answer.body.id === first?.body.id, `the job ${first?.body.id}`, answer);
    },
  },
  {
    rule: 'U-5',
    title: 'An id chosen by the client is the id of the job, and is taken then',
    async run(kit) {
      const id = randomUUID();
      const answer = await kit.submitAnswer('echo', {}, { id });
      must(answer.body?.id === id, `a job with the id ${id}`, answer);
      mustRefuse(await kit.submitAnswer('echo', {}, { id }), 409, 'id-taken', '/id');
    },
  },
  {
    rule: 'U-6',
    title: 'validateOnly answers 200 and stores nothing',
    async run(kit) {
      for (const [path, more] of [
        ['/v1/jobs?validateOnly=true', {}],
        ['/v1/jobs', { validateOnly: true }],
      ] as const) {
        const id = randomUUID();
        const answer = await kit.ask(path, { json: kit.request('echo', {}, { id, ...more }) });
        mustBe(answer, 200);
        must(answer.body.valid === true && answer.body.function.name === 'echo', 'what would run', answer);
        mustBe(await kit.ask(`/v1/jobs/${id}`), 404);
      }
    },
  },
  {
    rule: 'U-7',
    title: 'A submit with Prefer: wait=N answers with the final state',
    async run(kit) {
      const answer = await kit.submitAnswer('echo', {}, {}, { prefer: 'wait=15' });
      mustBe(answer, 201);
      must(terminal.includes(answer.body.status), 'a job that has ended', answer);
      header(answer, 'preference-applied', 'wait=15');
    },
  },
  {
    rule: 'U-8',
    title: 'An unknown function, pool or agent is refused with 422',
    async run(kit) {
      const unknown = `no-${randomUUID()}`;
      const at = (json: object) => kit.ask('/v1/jobs', { json });
      mustRefuse(await at({ function: unknown }), 422, 'unknown-function', '/function');
      mustRefuse(await kit.submitAnswer('echo', {}, { pool: unknown }), 422, 'unknown-pool', '/pool');
      const pinned = await kit.submitAnswer('echo', {}, { assignedAgentId: unknown });
      mustRefuse(pinned, 422, 'unknown-agent', '/assignedAgentId');
    },
  },
  {
    rule: 'U-9',
    title: 'Parameters that break the schema of the function are refused with 422 and JSON Pointers',
    async run(kit) {
      const answer = await kit.submitAnswer('sleep', { seconds: 'many' });
      mustRefuse(answer, 422, 'invalid-parameters', '/parameters/seconds');
    },
  },
  {
    rule: 'U-10',
    title: 'A submit that is refused stores nothing',
    async run(kit) {
      const id = randomUUID();
      await kit.submitAnswer('sleep', { seconds: -1 }, { id });
      mustBe(await kit.ask(`/v1/jobs/${id}`), 404);
    },
  },
  {
    rule: 'U-11',
    title: 'A job with notBefore waits for its time, and says so',
    async run(kit) {
      const { id, notBefore } = await kit.later();
      const answer = await kit.ask(`/v1/jobs/${id}`);
      const { status, waitingReason } = answer.body;
      must(status === 'CREATED', 'the status CREATED', answer);
      must(
        waitingReason?.kind === 'scheduled' && waitingReason.notBefore === notBefore,
        'the reason',
        answer,
      );
    },
  },
  {
    rule: 'U-12',
    title: 'A batch answers 207, with a status and a job or a problem for each request',
    async run(kit) {
      const requests = [
        kit.request('echo'),
        { function: 1 },
        kit.request('echo', {}, { pool: 'no-such-pool' }),
      ];
      const answer = await kit.ask('/v1/jobs:batch', { json: { requests } });
      mustBe(answer, 207);
      const [good, broken, refused] = answer.body.items;
      must(good.status === 201 && typeof good.job.id === 'string', 'a job first', answer);
      must(
        broken.status === 422 && broken.problem.errors[0].pointer === '/function',
        'then a problem',
        answer,
      );
      must(refused.status === 422 && refused.problem.code === 'unknown-pool', 'and another', answer);
    },
  },
  {
    rule: 'U-13',
    title: 'A repeat of a batch with the same Idempotency-Key answers with the jobs of the first',
    async run(kit) {
      const asked = { json: { requests: [kit.request('echo'), kit.request('echo')] }, headers: key() };
      const ids = (answer: Answer): string[] => answer.body.items.map(({ job }: Json) => job.id);
      const first = await kit.ask('/v1/jobs:batch', asked);
      const again = await kit.ask('/v1/jobs:batch', asked);
      must(same(ids(again), ids(first)), `the jobs ${ids(first).join(', ')}`, again);
    },
  },
];
