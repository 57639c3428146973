import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Json } from '../client.ts';
import { header, isMoment, must, mustBe, mustRefuse } from '../expect.ts';
import type { Check, Kit } from '../kit.ts';
import { Skip } from '../outcome.ts';
import { withKey } from './identity.ts';

/** A refusal is entered shortly after the answer. */
const soonMs = 5_000;

async function audit(kit: Kit, query: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await kit.ask(`/v1/audit?${query}`, { headers });
  if (answer.status === 403) throw new Skip('the key may not read the audit log');
  mustBe(answer, 200);
  return answer;
}

export const auditChecks: Check[] = [
  {
    rule: 'D-1',
    title: 'An entry says who did what to what, when, in which request and from where',
    run: (kit) =>
      withKey(kit, async ({ id }, made) => {
        const me = (await kit.ask('/v1/me')).body;
        const answer = await audit(kit, `target=${id}`);
        const [entry] = answer.body.items;
        const { actor, action, target, outcome, requestId, address, at } = entry ?? {};
        must(
          actor?.id === (me.user?.id ?? me.agentId) && actor.keyId === me.keyId,
          'who made the key',
          answer,
        );
        const what = action === 'createKey' && target?.kind === 'key' && outcome === 'done';
        must(what && requestId === made.headers.get('x-request-id'), 'that the key was made', answer);
        must(isMoment(at) && typeof address === 'string', 'when, and from where', answer);
      }),
  },
  {
    rule: 'D-2',
    title: 'What was refused is entered with its code',
    run: (kit) =>
      withKey(kit, async ({ id, userId, key: token }) => {
        const refused = await kit.ask('/v1/users', { json: {}, token });
        const requestId = refused.headers.get('x-request-id');
        const end = Date.now() + soonMs;
        for (;;) {
          const answer = await audit(kit, `actor=${userId}&action=createUser&outcome=refused`);
          const entry = answer.body.items.find((one: Json) => one.requestId === requestId);
          if (entry?.code === 'forbidden' && entry.actor.keyId === id) return;
          must(Date.now() < end, `the refused request ${requestId}`, answer);
          await pause(100);
        }
      }),
  },
  {
    rule: 'D-3',
    title: 'Filters are joined by and',
    run: (kit) =>
      withKey(kit, async ({ id }) => {
        const me = (await kit.ask('/v1/me')).body;
        const { at } = (await audit(kit, `target=${id}`)).body.items[0] ?? {};
        const all = {
          actor: me.user?.id ?? me.agentId,
          action: 'createKey',
          target: id,
          targetKind: 'key',
          outcome: 'done',
          since: at,
        };
        const found = await audit(kit, String(new URLSearchParams(all)));
        must(found.body.items.length === 1, 'one entry', found);
        const others = {
          actor: 'nobody',
          action: 'revokeKey',
          target: 'nothing',
          targetKind: 'job',
          outcome: 'failed',
          until: at,
        };
        for (const [name, value] of Object.entries(others)) {
          const none = await audit(kit, String(new URLSearchParams({ ...all, [name]: value })));
          must(none.body.items.length === 0, `no entry with this ${name}`, none);
        }
      }),
  },
  {
    rule: 'D-4',
    title: 'It is listed page by page, newest first',
    run: (kit) =>
      withKey(kit, () =>
        withKey(kit, async () => {
          const first = await audit(kit, 'action=createKey&pageSize=1');
          const { items, nextPageToken } = first.body;
          const next = await audit(kit, `action=createKey&pageSize=1&pageToken=${nextPageToken}`);
          const older = next.body.items[0]?.at < items[0]?.at;
          must(items.length === 1 && older, 'one entry, and then an older one', next);
        }),
      ),
  },
  {
    rule: 'D-5',
    title: 'All of it comes as one JSON object a line',
    run: (kit) =>
      withKey(kit, async ({ id }) => {
        const answer = await audit(kit, `target=${id}`, { accept: 'application/x-ndjson' });
        header(answer, 'content-type', /^application\/x-ndjson/);
        const lines = answer.text.trimEnd().split('\n');
        const whole = lines.map((line) => JSON.parse(line).action);
        must(whole.length === 1 && whole[0] === 'createKey', 'the one entry on a line', answer);
      }),
  },
  {
    rule: 'D-6',
    title: 'Who is no admin may not read it',
    run: (kit) =>
      withKey(kit, async ({ key: token }) => {
        mustRefuse(await kit.ask('/v1/audit', { token }), 403, 'forbidden');
      }),
  },
];
