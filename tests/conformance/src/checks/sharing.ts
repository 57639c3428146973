import { randomUUID } from 'node:crypto';
import { must, mustBe, mustRefuse } from '../expect.ts';
import type { Check } from '../kit.ts';

const put = { method: 'PUT' };

export const sharing: Check[] = [
  {
    rule: 'O-1',
    title: 'GET /v1/jobs/{id}/access says who has access, the owner first',
    async run(kit) {
      const { id, owner } = await kit.completed();
      const answer = await kit.ask(`/v1/jobs/${id}/access`);
      mustBe(answer, 200);
      const [first] = answer.body.items;
      must(first?.user.id === owner && first.access === 'owner', 'the owner of the job first', answer);
    },
  },
  {
    rule: 'O-2',
    title: 'Access is given to users of the tenant, and to nobody else',
    async run(kit) {
      const { id } = await kit.completed();
      const json = { user: { email: `${randomUUID()}@example.com` }, access: 'viewer' };
      const answer = await kit.ask(`/v1/jobs/${id}/access`, { ...put, json });
      mustRefuse(answer, 422, 'invalid-request', '/user/email');
    },
  },
  {
    rule: 'O-3',
    title: 'The owner keeps its access, whatever is asked for',
    async run(kit) {
      const { id, owner } = await kit.completed();
      const path = `/v1/jobs/${id}/access`;
      const ask = (access: string) => kit.ask(path, { ...put, json: { user: { id: owner }, access } });
      const same = await ask('owner');
      must(same.status === 200 && same.body.access === 'owner', 'the owner, unchanged', same);
      mustRefuse(await ask('viewer'), 422, 'invalid-request', '/access');
      const taken = await kit.ask(`${path}/${owner}`, { method: 'DELETE' });
      mustRefuse(taken, 422, 'invalid-request', 'path/userId');
    },
  },
  {
    rule: 'O-4',
    title: 'To take away what a user does not have changes nothing',
    async run(kit) {
      const { id } = await kit.completed();
      mustBe(await kit.ask(`/v1/jobs/${id}/access/${randomUUID()}`, { method: 'DELETE' }), 204);
    },
  },
];
