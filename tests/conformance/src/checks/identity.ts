import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Json } from '../client.ts';
import { header, must, mustBe, mustRefuse } from '../expect.ts';
import { type Check, inAnHour, type Kit } from '../kit.ts';
import { Skip } from '../outcome.ts';

/** "Within a second", and the way there and back. */
const soonMs = 3_000;

/** A key of the least role, or of another, which is revoked once it was looked at. */
export async function withKey(
  kit: Kit,
  look: (key: Json, answer: Answer) => Promise<void>,
  role = 'member',
): Promise<void> {
  const json = { name: 'conformance', role, expiresAt: inAnHour() };
  const answer = await kit.ask('/v1/keys', { json });
  if (answer.status === 403 || (answer.status === 422 && role !== 'member'))
    throw new Skip('the key may make no such key');
  mustBe(answer, 201);
  try {
    await look(answer.body, answer);
  } finally {
    await revoke(kit, answer.body);
  }
}

const revoke = (kit: Kit, { id }: Json) => kit.ask(`/v1/keys/${id}`, { method: 'DELETE' });

export const identity: Check[] = [
  {
    rule: 'I-1',
    title: 'A new key is shown once, kept by no cache, and works at once',
    run: (kit) =>
      withKey(kit, async ({ id, key }, answer) => {
        header(answer, 'cache-control', 'no-store');
        const me = await kit.ask('/v1/me', { token: key });
        must(me.status === 200 && me.body.keyId === id, 'the key to be let in', me);
        must(me.body.role === 'member', 'the role that it was made with', me);
      }),
  },
  {
    rule: 'I-2',
    title: 'No list shows a key, but how it begins and ends',
    run: (kit) =>
      withKey(kit, async ({ key }) => {
        const answer = await kit.ask('/v1/keys');
        mustBe(answer, 200);
        must(!answer.text.includes(key), 'a list without the key', answer);
        for (const { key: secret, prefix, lastFour } of answer.body.items)
          must(secret === undefined && prefix && lastFour, 'prefix and lastFour, and no key', answer);
      }),
  },
  {
    rule: 'I-3',
    title: 'A key makes none that may more than itself',
    run: (kit) =>
      withKey(kit, async ({ key: token }) => {
        const json = { name: 'conformance', role: 'admin' };
        mustRefuse(await kit.ask('/v1/keys', { json, token }), 422, 'invalid-request', '/role');
      }),
  },
  {
    rule: 'I-4',
    title: 'A key that expires makes none that outlives it',
    run: (kit) =>
      withKey(kit, async ({ key: token, expiresAt }) => {
        const json = { name: 'conformance', expiresAt: '2100-01-01T00:00:00Z' };
        mustRefuse(await kit.ask('/v1/keys', { json, token }), 422, 'invalid-request', '/expiresAt');
        const next = await kit.ask('/v1/keys', { json: { name: 'conformance' }, token });
        must(next.body?.expiresAt === expiresAt, `a key that ends at ${expiresAt}`, next);
        await revoke(kit, next.body);
      }),
  },
  {
    rule: 'I-5',
    title: 'A revoked key is refused within a second; to revoke it again changes nothing',
    run: (kit) =>
      withKey(kit, async (key) => {
        mustBe(await kit.ask('/v1/me', { token: key.key }), 200);
        mustBe(await revoke(kit, key), 204);
        mustBe(await revoke(kit, key), 204);
        const end = Date.now() + soonMs;
        for (;;) {
          const answer = await kit.ask('/v1/me', { token: key.key });
          if (answer.status === 401) return;
          must(Date.now() < end, `the status 401 within ${soonMs / 1_000} s`, answer);
          await pause(100);
        }
      }),
  },
  {
    rule: 'I-6',
    title: 'What a key holds open ends with it',
    run: (kit) =>
      withKey(
        kit,
        async (key) => {
          const headers = { accept: 'text/event-stream' };
          const patience = AbortSignal.timeout(2 * soonMs);
          const stream = await kit.open('/v1/events', { token: key.key, headers }, patience);
          const over = stream.text().then(
            () => true,
            () => false,
          );
          const answer = await revoke(kit, key);
          must(await over, 'a stream that ends', answer, `it goes on after ${(2 * soonMs) / 1_000} s`);
        },
        'operator',
      ),
  },
  {
    rule: 'I-7',
    title: 'Keys are listed page by page, newest first',
    run: (kit) =>
      withKey(kit, () =>
        withKey(kit, async () => {
          const first = await kit.ask('/v1/keys?pageSize=1');
          mustBe(first, 200);
          const { items, nextPageToken } = first.body;
          const next = await kit.ask(`/v1/keys?pageSize=1&pageToken=${nextPageToken}`);
          mustBe(next, 200);
          const older = next.body.items[0]?.createdAt < items[0]?.createdAt;
          must(items.length === 1 && older, 'one key, and then an older one', next);
        }),
      ),
  },
];
