import type { Answer } from '../client.ts';
import { header, must, mustBe } from '../expect.ts';
import { type Check, type Kit, terminal } from '../kit.ts';

async function waited(
  kit: Kit,
  id: string,
  headers: Record<string, string>,
): Promise<Answer & { ms: number }> {
  const begun = performance.now();
  const answer = await kit.ask(`/v1/jobs/${id}`, { headers });
  return { ...answer, ms: performance.now() - begun };
}

/** A job with its ETag that does not change. */
async function still(kit: Kit): Promise<{ id: string; etag: string }> {
  const { id } = await kit.later();
  const { headers } = await kit.ask(`/v1/jobs/${id}`);
  return { id, etag: headers.get('etag') ?? '' };
}

export const wait: Check[] = [
  {
    rule: 'W-1',
    title: 'Prefer: wait with If-None-Match answers 200 as soon as the job changes',
    run: (kit) =>
      kit.whileRunning(async ({ id }) => {
        const { headers } = await kit.ask(`/v1/jobs/${id}`);
        const waiting = waited(kit, id, { prefer: 'wait=15', 'if-none-match': headers.get('etag') ?? '' });
        await kit.cancel(id, { mode: 'force' });
        const answer = await waiting;
        mustBe(answer, 200);
        must(answer.body.cancelRequestedAt !== null, 'the job with the change', answer);
        must(answer.ms < 10_000, 'an answer at once', answer, `an answer after ${answer.ms} ms`);
      }),
  },
  {
    rule: 'W-2',
    title: 'Prefer: wait without If-None-Match answers when the job changes or ends',
    run: (kit) =>
      kit.whileRunning(async ({ id }) => {
        const waiting = waited(kit, id, { prefer: 'wait=15' });
        await kit.until(id, 'seen', () => true);
        await kit.cancel(id, { mode: 'force' });
        const answer = await waiting;
        mustBe(answer, 200);
        must(answer.body.cancelRequestedAt !== null, 'the job with the change', answer);
      }),
  },
  {
    rule: 'W-3',
    title: 'Preference-Applied names the wait that was applied',
    async run(kit) {
      const { id } = await kit.completed();
      header(await waited(kit, id, { prefer: 'wait=7' }), 'preference-applied', 'wait=7');
    },
  },
  {
    rule: 'W-4',
    title: 'A wait that ends without a change answers 304 to If-None-Match',
    async run(kit) {
      const { id, etag } = await still(kit);
      const answer = await waited(kit, id, { prefer: 'wait=1', 'if-none-match': etag });
      mustBe(answer, 304);
    },
  },
  {
    rule: 'W-5',
    title: 'A wait that ends without a change answers 200 where there is no If-None-Match',
    async run(kit) {
      const { id } = await still(kit);
      mustBe(await waited(kit, id, { prefer: 'wait=1' }), 200);
    },
  },
  {
    rule: 'W-6',
    title: 'A wait is really waited for',
    async run(kit) {
      const { id, etag } = await still(kit);
      const answer = await waited(kit, id, { prefer: 'wait=1', 'if-none-match': etag });
      must(answer.ms > 900, 'an answer after 1 s', answer, `an answer after ${Math.round(answer.ms)} ms`);
    },
  },
  {
    rule: 'W-7',
    title: 'A job that is over is answered at once',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await waited(kit, id, { prefer: 'wait=15' });
      must(terminal.includes(answer.body?.status), 'the job that is over', answer);
      must(answer.ms < 10_000, 'an answer at once', answer, `an answer after ${answer.ms} ms`);
    },
  },
  {
    rule: 'W-8',
    title: 'A wait is cut to 60 seconds',
    async run(kit) {
      const { id } = await kit.completed();
      header(await waited(kit, id, { prefer: 'wait=3600' }), 'preference-applied', 'wait=60');
    },
  },
];
