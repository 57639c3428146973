import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCancel, parseReassign } from './commands.ts';

test.each<[unknown, unknown]>([
  [undefined, { graceSeconds: 10, mode: 'graceful' }],
  [{}, { graceSeconds: 10, mode: 'graceful' }],
  [
    { reason: 'r', by: 'ann', graceSeconds: 3 },
    { reason: 'r', by: 'ann', graceSeconds: 3, mode: 'graceful' },
  ],
  [
    { mode: 'force', graceSeconds: 30 },
    { graceSeconds: 0, mode: 'force' },
  ],
])('cancel %j is understood', (payload, value) => {
  expect(parseCancel(payload)).toEqual({ ok: true, value });
});

test.each<[unknown, string]>([
  ['now', 'object'],
  [[], 'object'],
  [{ why: 'x' }, "'why'"],
  [{ reason: 1 }, 'reason'],
  [{ graceSeconds: '10' }, 'graceSeconds'],
  [{ graceSeconds: 601 }, 'graceSeconds'],
  [{ mode: 'softly' }, 'mode'],
])('cancel %j is refused by the name of the field', (payload, word) => {
  const parsed = parseCancel(payload);
  expect(!parsed.ok && parsed.message).toContain(word);
});

test.each<[unknown, unknown]>([
  [{ agentId: 'a-1' }, { agentId: 'a-1' }],
  [{ pool: 'big', reason: 'r' }, { pool: 'big' }],
  [{ anyone: true }, { anyone: true }],
])('reassign %j is understood', (payload, target) => {
  expect(parseReassign(payload)).toMatchObject({ ok: true, value: { target, graceSeconds: 10 } });
});

test.each<[unknown, string]>([
  [undefined, 'object'],
  [{}, 'exactly one'],
  [{ agentId: 'a', pool: 'b' }, 'exactly one'],
  [{ anyone: false }, 'anyone is true'],
  [{ agentId: 'a/b' }, 'agentId'],
  [{ pool: 'any' }, 'pool'],
  [{ pool: 'a', mode: 'force' }, "'mode'"],
])('reassign %j is refused by what is wrong', (payload, word) => {
  const parsed = parseReassign(payload);
  expect(!parsed.ok && parsed.message).toContain(word);
});

test('nothing makes them throw', () => {
  fc.assert(fc.property(fc.anything(), (payload) => void [parseCancel(payload), parseReassign(payload)]));
});
