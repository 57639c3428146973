import { randomUUID } from 'node:crypto';
import { header, must, mustBe, mustRefuse } from '../expect.ts';
import type { Check } from '../kit.ts';
import { Skip } from '../outcome.ts';
import { withKey } from './identity.ts';

export const access: Check[] = [
  {
    rule: 'A-1',
    title: 'A request without a key is refused with 401 and WWW-Authenticate',
    async run(kit) {
      const answer = await kit.ask('/v1/jobs', { token: null });
      mustRefuse(answer, 401, 'unauthenticated');
      header(answer, 'www-authenticate', /^Bearer\b/i);
    },
  },
  {
    rule: 'A-2',
    title: 'A key that is not valid is refused with 401',
    async run(kit) {
      mustRefuse(await kit.ask('/v1/jobs', { token: `pk_${randomUUID()}` }), 401, 'unauthenticated');
    },
  },
  {
    rule: 'A-3',
    title: 'GET /v1/me says whose key it is, and what it may do',
    async run(kit) {
      const answer = await kit.ask('/v1/me');
      mustBe(answer, 200);
      const { tenantId, user, agentId, role, permissions } = answer.body;
      const who = typeof (user?.id ?? agentId) === 'string' && typeof tenantId === 'string';
      must(who && typeof role === 'string' && Array.isArray(permissions), 'who, and what it may do', answer);
    },
  },
  {
    rule: 'A-4',
    title: 'What belongs to somebody else answers as what does not exist',
    async run(kit) {
      const { otherToken: token } = kit;
      if (token === undefined) throw new Skip('needs --other-token: a key of another tenant');
      const { id } = await kit.completed();
      const unknown = randomUUID();
      for (const rest of ['', '/history', '/logs', '/result', '/events', ':cancel']) {
        const asked = { token, ...(rest === ':cancel' ? { json: {} } : {}) };
        const foreign = await kit.ask(`/v1/jobs/${id}${rest}`, asked);
        const none = await kit.ask(`/v1/jobs/${unknown}${rest}`, asked);
        mustBe(foreign, 404);
        const told = [foreign, none].map(({ text, body }) =>
          text.replaceAll(body.traceId, '').replaceAll(id, '').replaceAll(unknown, ''),
        );
        must(told[0] === told[1], 'the same as for an unknown id', foreign);
      }
      const listed = await kit.ask('/v1/jobs?pageSize=200', { token });
      must(!listed.text.includes(id), 'a list without the job', listed);
    },
  },
  {
    rule: 'A-5',
    title: 'What a key may not do is refused with 403',
    run: (kit) =>
      withKey(kit, async ({ key: token }) => {
        mustRefuse(await kit.ask('/v1/users', { json: {}, token }), 403, 'forbidden');
      }),
  },
];
