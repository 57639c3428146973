import type { Answer } from '../client.ts';
import { header, must, mustBe, mustRefuse, same } from '../expect.ts';
import type { Check, Kit } from '../kit.ts';

type Line = { at: string; text: string; stream: string; level: string; attempt: number };

const five = ['1 of 5', '2 of 5', '3 of 5', '4 of 5', '5 of 5'];

async function logs(kit: Kit, query = '', headers: Record<string, string> = {}): Promise<Answer> {
  const { id } = await kit.counted();
  return kit.ask(`/v1/jobs/${id}/logs${query}`, { headers });
}

/** The texts of the lines; what is no line fails the check by itself. */
const texts = (lines: Line[]): string[] => lines.map(({ text }) => text);

function ndjson(answer: Answer): Line[] {
  return answer.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

export const logsChecks: Check[] = [
  {
    rule: 'G-1',
    title: 'Logs are a page of lines with at, attempt, stream, level and text, oldest first',
    async run(kit) {
      const answer = await logs(kit);
      mustBe(answer, 200);
      const { items, more } = answer.body;
      must(same(texts(items), five), 'the five lines', answer);
      const [{ attempt, stream, level }] = items;
      must(attempt === 1 && stream === 'log' && level === 'info' && more === false, 'their fields', answer);
    },
  },
  {
    rule: 'G-2',
    title: 'The times of the lines of a job rise strictly',
    async run(kit) {
      const answer = await logs(kit);
      const times = (answer.body.items as Line[]).map(({ at }) => at);
      must(
        times.every((at, index) => at > (times[index - 1] ?? '')),
        'times that rise',
        answer,
        times.join(', '),
      );
    },
  },
  {
    rule: 'G-3',
    title: 'since is exclusive, and limit is kept',
    async run(kit) {
      const [, second] = (await logs(kit)).body.items as Line[];
      const answer = await logs(kit, `?since=${second?.at}&limit=2`);
      must(same(texts(answer.body.items), five.slice(2, 4)), 'the third and fourth line', answer);
    },
  },
  {
    rule: 'G-4',
    title: 'nextSince leads on, page by page',
    async run(kit) {
      const first = await logs(kit, '?limit=3');
      must(first.body.more === true, 'more: true', first);
      const second = await logs(kit, `?limit=3&since=${first.body.nextSince}`);
      must(same(texts([...first.body.items, ...second.body.items]), five), 'the five lines', second);
    },
  },
  {
    rule: 'G-5',
    title: 'Accept: application/x-ndjson answers one JSON object a line',
    async run(kit) {
      const answer = await logs(kit, '', { accept: 'application/x-ndjson' });
      header(answer, 'content-type', /^application\/x-ndjson/);
      must(same(texts(ndjson(answer)), five), 'the five lines', answer);
    },
  },
  {
    rule: 'G-6',
    title: 'Accept: text/plain answers lines of text',
    async run(kit) {
      const answer = await logs(kit, '', { accept: 'text/plain' });
      header(answer, 'content-type', /^text\/plain/);
      const lines = answer.text.trim().split('\n');
      must(
        lines.length === 5 && lines.every((line, index) => line.endsWith(` log info ${five[index]}`)),
        'five lines',
        answer,
      );
    },
  },
  {
    rule: 'G-7',
    title: 'follow=true streams all lines until the job is over, and ends then',
    async run(kit) {
      const { id } = await kit.submit('count', { to: 5, everyMs: 100 });
      const answer = await kit.ask(`/v1/jobs/${id}/logs?follow=true`);
      must(same(texts(ndjson(answer)), five), 'the five lines', answer);
    },
  },
  {
    rule: 'G-8',
    title: 'Once the status is final, all lines can be read',
    async run(kit) {
      const { id } = await kit.submit('count', { to: 200, everyMs: 0 });
      await kit.ended(id);
      const answer = await kit.ask(`/v1/jobs/${id}/logs?limit=1000`);
      const { length } = answer.body.items;
      must(length === 200, '200 lines', answer, `${length} lines`);
    },
  },
  {
    rule: 'G-9',
    title: 'Lines are filtered by q, level, stream and attempt',
    async run(kit) {
      for (const [query, count] of [
        ['q=3%20OF', 1],
        ['level=info', 5],
        ['level=warn', 0],
        ['stream=log', 5],
        ['stream=stderr,stdout', 0],
        ['attempt=1', 5],
        ['attempt=2', 0],
      ] as const) {
        const answer = await logs(kit, `?${query}`);
        must(answer.body?.items?.length === count, `${count} lines for ${query}`, answer);
      }
    },
  },
  {
    rule: 'G-10',
    title: 'Another kind than JSON, ndjson and text is refused with 406',
    async run(kit) {
      mustRefuse(await logs(kit, '', { accept: 'image/png' }), 406, 'not-acceptable');
    },
  },
];
