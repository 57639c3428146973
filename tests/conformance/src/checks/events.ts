import { header, isMoment, must, mustBe, mustRefuse, same } from '../expect.ts';
import { type Check, terminal } from '../kit.ts';
import { messagesIn, whatComes } from '../sse.ts';

const stream = (path: string) => `/v1/jobs/${path}/events`;

export const events: Check[] = [
  {
    rule: 'E-1',
    title: 'The history is numbered 1, 2, 3 … without gaps',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await kit.ask(`/v1/jobs/${id}/history`);
      mustBe(answer, 200);
      const seqs: number[] = answer.body.items.map(({ seq }: { seq: number }) => seq);
      must(
        same(
          seqs,
          seqs.map((_, index) => index + 1),
        ),
        'seq 1, 2, 3 …',
        answer,
      );
    },
  },
  {
    rule: 'E-2',
    title: 'The history begins with CREATED, ends with the final status, and each event says when and who',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await kit.ask(`/v1/jobs/${id}/history`);
      const { items } = answer.body;
      must(
        items.at(0)?.status === 'CREATED' && items.at(-1)?.status === 'COMPLETED',
        'first and last',
        answer,
      );
      for (const { at, actor } of items)
        must(isMoment(at) && typeof actor === 'string', 'at and actor', answer);
    },
  },
  {
    rule: 'E-3',
    title: 'The stream of a job is text/event-stream, and has each event of the history',
    async run(kit) {
      const { id } = await kit.completed();
      const answer = await kit.ask(stream(id));
      mustBe(answer, 200);
      header(answer, 'content-type', /^text\/event-stream/);
      const history = await kit.ask(`/v1/jobs/${id}/history`);
      const told = messagesIn(answer.text).filter(({ event }) => event === 'history');
      const seqs = (items: { seq: number }[]) => items.map(({ seq }) => seq);
      must(
        same(seqs(told.map(({ data }) => data)), seqs(history.body.items)),
        'the events of the history',
        answer,
      );
    },
  },
  {
    rule: 'E-4',
    title: 'The ids of a stream are revisions, and rise',
    async run(kit) {
      const { id, revision } = await kit.counted();
      const answer = await kit.ask(stream(id));
      const ids = messagesIn(answer.text).map((message) => Number(message.id));
      must(
        ids.every((one, index) => one > (ids[index - 1] ?? 0)),
        'ids that rise',
        answer,
        ids.join(', '),
      );
      must(ids.at(-1) === revision, `the last id to be the revision ${revision}`, answer, ids.join(', '));
    },
  },
  {
    rule: 'E-5',
    title: 'Last-Event-ID resumes a stream without gap or repeat',
    async run(kit) {
      const { id } = await kit.completed();
      const all = messagesIn((await kit.ask(stream(id))).text);
      const at = Math.floor(all.length / 2);
      const answer = await kit.ask(stream(id), { headers: { 'last-event-id': all[at]?.id ?? '' } });
      const rest = messagesIn(answer.text).map((message) => message.id);
      must(
        same(
          rest,
          all.slice(at + 1).map((message) => message.id),
        ),
        'the rest of the stream',
        answer,
      );
    },
  },
  {
    rule: 'E-6',
    title: 'The stream of a job that runs goes on until the job is over, and ends then',
    async run(kit) {
      const { id } = await kit.submit('count', { to: 3, everyMs: 200 });
      const answer = await kit.ask(stream(id));
      const told = messagesIn(answer.text).filter(({ event }) => event === 'history');
      must(terminal.includes(told.at(-1)?.data.status), 'a last event that ends the job', answer);
    },
  },
  {
    rule: 'E-7',
    title: 'Resuming after the last event of a job that is over answers 204',
    async run(kit) {
      const { id, revision } = await kit.completed();
      mustBe(await kit.ask(stream(id), { headers: { 'last-event-id': String(revision) } }), 204);
    },
  },
  {
    rule: 'E-8',
    title: 'A Last-Event-ID that the stream cannot have given is refused with 422',
    async run(kit) {
      const { id } = await kit.completed();
      for (const [path, given] of [
        [stream(id), '999999'],
        [stream(id), 'x'],
        ['/v1/events', 'x'],
      ] as const) {
        const answer = await kit.ask(path, { headers: { 'last-event-id': given } });
        mustRefuse(answer, 422, 'invalid-request', 'header/Last-Event-ID');
      }
    },
  },
  {
    rule: 'E-9',
    title: 'The stream of all jobs tells where it begins, and then what happens',
    async run(kit) {
      let id = '';
      const read = await whatComes(kit, {}, async (so) => {
        id ||= so.lastEventId === undefined ? '' : (await kit.submit('echo')).id;
        return so.messages.some(({ data }) => data.jobId === id && terminal.includes(data.status));
      });
      must(
        read.messages.every(({ event }) => event === 'history'),
        'history messages alone',
        read.answer,
      );
    },
  },
  {
    rule: 'E-10',
    title: 'Last-Event-ID resumes the stream of all jobs',
    async run(kit) {
      let id = '';
      const isOver = ({ data }: { data: { jobId: string; status: string } }) =>
        data.jobId === id && terminal.includes(data.status);
      const before = await whatComes(kit, {}, async ({ lastEventId }) => lastEventId !== undefined);
      id = (await kit.submit('echo')).id;
      const { status } = await kit.ended(id);
      const after = await whatComes(
        kit,
        { 'last-event-id': before.lastEventId ?? '' },
        async ({ messages }) => messages.some(isOver),
      );
      const seqs = after.messages.filter(({ data }) => data.jobId === id).map(({ data }) => data.seq);
      const whole = same(
        seqs,
        seqs.map((_, index) => index + 1),
      );
      must(whole && terminal.includes(status), 'each event of the job, once', after.answer, seqs.join(', '));
    },
  },
  {
    rule: 'E-11',
    title: 'A caller that does not accept text/event-stream is refused with 406',
    async run(kit) {
      const { id } = await kit.completed();
      mustRefuse(await kit.ask(stream(id), { headers: { accept: 'text/html' } }), 406, 'not-acceptable');
    },
  },
];
