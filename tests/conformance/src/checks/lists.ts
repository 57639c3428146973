import type { Json } from '../client.ts';
import { isMoment, must, mustBe, mustRefuse, same } from '../expect.ts';
import type { Check, Kit } from '../kit.ts';

/** Bounds the walk on a deployment that is never quiet. */
const mostPages = 200;

const idsOf = (page: Json): string[] => page.items.map(({ id }: { id: string }) => id);

/** The first page of two, with a token for the next one. */
async function firstPage(kit: Kit): Promise<Json> {
  await Promise.all([kit.later(), kit.completed(), kit.failed()]);
  const answer = await kit.ask('/v1/jobs?pageSize=2');
  must(typeof answer.body?.nextPageToken === 'string', 'a page with nextPageToken', answer);
  return answer.body;
}

export const lists: Check[] = [
  {
    rule: 'L-1',
    title: 'A list is a page of jobs, newest first',
    async run(kit) {
      await firstPage(kit);
      const answer = await kit.ask('/v1/jobs?pageSize=10');
      mustBe(answer, 200);
      const times: string[] = answer.body.items.map(({ createdAt }: { createdAt: string }) => createdAt);
      must(same(times, times.toSorted().reverse()), 'the newest first', answer, times.join(', '));
    },
  },
  {
    rule: 'L-2',
    title: 'A list is right at once: it has the job that was just submitted',
    async run(kit) {
      const { id } = await kit.submit('echo');
      const answer = await kit.ask('/v1/jobs?pageSize=200');
      must(idsOf(answer.body).includes(id), `the job ${id}`, answer);
    },
  },
  {
    rule: 'L-3',
    title: 'Walking from page to page meets each job once, and no page is too large',
    async run(kit) {
      const own: string[] = [];
      for (let made = 0; made < 5; made++) own.push((await kit.submit('echo')).id);
      const met: string[] = [];
      let token = '';
      for (let page = 0; page < mostPages && own.some((id) => !met.includes(id)); page++) {
        const answer = await kit.ask(`/v1/jobs?pageSize=2${token}`);
        must(answer.body?.items?.length <= 2, 'two jobs at most', answer);
        met.push(...idsOf(answer.body));
        const { nextPageToken } = answer.body;
        if (nextPageToken === null) break;
        token = `&pageToken=${encodeURIComponent(nextPageToken)}`;
      }
      const answer = await kit.ask('/v1/jobs?pageSize=2');
      must(new Set(met).size === met.length, 'no job twice', answer, met.join(', '));
      must(
        same(
          met.filter((id) => own.includes(id)),
          own.toReversed(),
        ),
        'each job',
        answer,
        met.join(', '),
      );
    },
  },
  {
    rule: 'L-4',
    title: 'A page token is bound to the filter it was given for',
    async run(kit) {
      const { nextPageToken } = await firstPage(kit);
      const path = `/v1/jobs?pageSize=2&function=sleep&pageToken=${encodeURIComponent(nextPageToken)}`;
      mustRefuse(await kit.ask(path), 422, 'invalid-request', 'query/pageToken');
    },
  },
  {
    rule: 'L-5',
    title: 'A forged page token is refused with 422',
    async run(kit) {
      const { nextPageToken } = await firstPage(kit);
      const [position] = String(nextPageToken).split('.');
      for (const token of ['x', `${position}.AAAAAAAAAAAAAAAAAAAAAA`])
        mustRefuse(await kit.ask(`/v1/jobs?pageToken=${token}`), 422, 'invalid-request', 'query/pageToken');
    },
  },
  {
    rule: 'L-6',
    title: 'Lists are filtered by status and function',
    async run(kit) {
      await Promise.all([kit.completed(), kit.failed(), kit.canceled()]);
      const answer = await kit.ask('/v1/jobs?status=COMPLETED,FAILED&function=fail&pageSize=200');
      const { id } = await kit.failed();
      must(idsOf(answer.body).includes(id), `the job ${id}`, answer);
      for (const job of answer.body.items)
        must(
          job.function.name === 'fail' && job.status !== 'CANCELED',
          'what was asked for',
          answer,
          JSON.stringify(job),
        );
    },
  },
  {
    rule: 'L-7',
    title: 'A pageSize outside 1 to 200, or an unknown filter, is refused with 422',
    async run(kit) {
      for (const [query, place] of [
        ['pageSize=0', 'query/pageSize'],
        ['pageSize=201', 'query/pageSize'],
        ['status=BROKEN', 'query/status/0'],
        ['colour=red', 'query/colour'],
      ] as const)
        mustRefuse(await kit.ask(`/v1/jobs?${query}`), 422, 'invalid-request', place);
    },
  },
  {
    rule: 'L-8',
    title: 'Lists are filtered by label, text in the name, ranges of time and archive',
    async run(kit) {
      const { id, createdAt, labels } = await kit.failed();
      const list = async (query: string) => {
        const answer = await kit.ask(`/v1/jobs?${query}&function=fail&pageSize=200`);
        mustBe(answer, 200);
        return { answer, ids: idsOf(answer.body) };
      };
      const at = encodeURIComponent(createdAt);
      const label = `label=perdure-conformance:${labels['perdure-conformance']}`;
      for (const query of [label, 'q=NFORMANC', `createdAfter=${at}`, 'archived=any']) {
        const { answer, ids } = await list(query);
        must(ids.includes(id), `the job ${id}`, answer);
      }
      const others = [
        'label=perdure-conformance:x',
        'q=no-such-name',
        `createdBefore=${at}`,
        'archived=true',
      ];
      for (const query of others) {
        const { answer, ids } = await list(query);
        must(!ids.includes(id), `a list without the job ${id}`, answer);
      }
    },
  },
  {
    rule: 'L-9',
    title: 'Lists are sorted as asked for',
    async run(kit) {
      await firstPage(kit);
      const answer = await kit.ask('/v1/jobs?sort=createdAt&pageSize=10');
      mustBe(answer, 200);
      const times: string[] = answer.body.items.map(({ createdAt }: { createdAt: string }) => createdAt);
      must(same(times, times.toSorted()), 'the oldest first', answer, times.join(', '));
    },
  },
  {
    rule: 'L-10',
    title: 'Jobs are counted by status, as of a moment',
    async run(kit) {
      await Promise.all([kit.later(), kit.completed(), kit.failed()]);
      const answer = await kit.ask('/v1/jobs:counts');
      mustBe(answer, 200);
      const { counts, archived, asOf } = answer.body;
      for (const status of ['CREATED', 'COMPLETED', 'FAILED'])
        must(
          Number.isInteger(counts?.[status]) && counts[status] > 0,
          `some jobs that are ${status}`,
          answer,
        );
      must(Number.isInteger(archived) && isMoment(asOf), 'archived and asOf', answer);
    },
  },
];
