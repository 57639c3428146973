import { afterAll, expect, test } from '@jest/globals';
import { openDatabase } from '@perdure/store/database';
import { createTenant } from '@perdure/store/admin';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { newSecret } from '../../apps/api/src/keys/secret.ts';
import { type Api, house, type House } from '../e2e/support/house.ts';
import { sharedServers } from '../e2e/support/servers.ts';
import { waitFor } from '../support/wait.ts';
import { startBreakingProxy } from './breaking-proxy.ts';
import { checks, only } from './src/checks.ts';
import { type Json, makeClient } from './src/client.ts';
import { makeKit } from './src/kit.ts';
import { counts, report } from './src/report.ts';
import { run } from './src/run.ts';
import type { Variant } from './variants/breaks.ts';
import { audit } from './variants/audit.ts';
import { following } from './variants/following.ts';
import { identity } from './variants/identity.ts';
import { reading } from './variants/reading.ts';
import { refusing } from './variants/refusing.ts';
import { sharing } from './variants/sharing.ts';
import { writing } from './variants/writing.ts';

const main = fileURLToPath(new URL('src/main.ts', import.meta.url));
const functions = ['echo', 'sleep', 'fail', 'count'];
const variants = [...writing, ...reading, ...following, ...refusing, ...identity, ...audit, ...sharing];
/** Rules that take a while: they are tried on the servers that are to fail them alone. */
const slow = new Set('S-10 W-1 W-2 W-6 E-6 E-9 E-10 G-7 G-8 C-1 C-3 C-6 C-9 I-5 I-6'.split(' '));

let api: Api;
let proxy: Awaited<ReturnType<typeof startBreakingProxy>>;
let otherToken: string;
/** Made once, on the untouched server. */
const kept = new Map<string, Promise<Json>>();

const { scenario } = house(sharedServers, async (here) => {
  [api] = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
  proxy = await startBreakingProxy({ api: api.url, key: api.key });
  otherToken = await keyOfAnother(here);
  const honest = makeKit(makeClient(api.url, api.key), { functions, kept });
  const { completed, failed, canceled, counted, later, file } = honest;
  await Promise.all([completed, failed, canceled, counted, later, file].map((make) => make()));
});

afterAll(() => proxy?.stop());

async function keyOfAnother(here: House): Promise<string> {
  const db = openDatabase(here.addresses.databaseUrl, { poolSize: 1 });
  const { key, ...secret } = newSecret();
  await createTenant(db, {
    name: 'another',
    admin: { email: 'ada@another.test', displayName: 'Ada' },
    secret,
  });
  await db.close();
  return key;
}

function kit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'] } };
    const child = execFile(process.execPath, [main, ...args], options, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

scenario('an untouched server passes every rule, and nothing is left running on it', async () => {
  const { code, out, err } = await kit('--url', api.url, '--token', api.key, '--other-token', otherToken);
  expect({ code, told: out.match(/^ +\S+ +failed[^]*?(?=^ +[A-Z]-\d)/gm), err }).toEqual({
    code: 0,
    told: null,
    err: '',
  });
  expect(out).toContain(`${checks.length} passed, 0 failed, 0 skipped`);
  const { id: own } = await kept.get('later');
  const over = ['COMPLETED', 'FAILED', 'CANCELED'];
  const quiet = async () => (await api.list()).every(({ id, status }) => id === own || over.includes(status));
  await waitFor(quiet, { what: 'the jobs of the kit to be over', timeoutMs: 30_000 });
});

const groupOf = (rule: string): string => rule.split('-')[0] ?? '';

/** Runs the rules that must fail, and those of the same groups that must not, against a server that is broken so. */
async function expectToFail({ breaks, fails, ...breaking }: Variant): Promise<void> {
  const chosen = checks.filter(
    ({ rule }) =>
      fails.includes(rule) || (!slow.has(rule) && fails.some((one) => groupOf(one) === groupOf(rule))),
  );
  proxy.set(breaking);
  const outcomes = await run(
    makeKit(makeClient(proxy.url, api.key), { functions, otherToken, kept }),
    chosen,
    30,
  );
  proxy.set({});
  const failed = outcomes.filter(({ result }) => result === 'failed');
  const expected = checks.map(({ rule }) => rule).filter((rule) => fails.includes(rule));
  expect({ breaks, failed: failed.map(({ rule }) => rule), told: report(failed) }).toEqual({
    breaks,
    failed: expected,
    told: report(failed),
  });
  expect(counts(outcomes).skipped).toBe(0);
}

for (const variant of variants)
  scenario(`fails ${variant.fails.join(', ')}: a server on which ${variant.breaks}`, () =>
    expectToFail(variant),
  );

test('each rule has a server that breaks it', () => {
  const broken = new Set(variants.flatMap(({ fails }) => fails));
  expect(checks.map(({ rule }) => rule).filter((rule) => !broken.has(rule))).toEqual([]);
});

test('no rule is checked twice', () => {
  const rules = checks.map(({ rule }) => rule);
  expect(new Set(rules).size).toBe(rules.length);
});

scenario('a rule that cannot be tried is skipped, and does not count as passed', async () => {
  const { code, out } = await kit('--url', api.url, '--token', api.key, '--only', 'A-4', '--json');
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject({
    passed: 0,
    failed: 0,
    skipped: 1,
    rules: [{ rule: 'A-4', result: 'skipped' }],
  });
  const bare = makeKit(makeClient(api.url, api.key), { functions: [] });
  const outcomes = await run(bare, only('U-1') ?? [], 30);
  expect(outcomes).toMatchObject([{ result: 'skipped', reason: expect.stringContaining('echo') }]);
});

scenario(
  'what is broken is told: what was expected, what came, and how to see it again without the key',
  async () => {
    proxy.set({ answer: (answered) => void delete answered.headers['retry-after'] });
    const { code, out } = await kit('--url', proxy.url, '--token', api.key, '--only', 's-8');
    proxy.set({});
    expect(code).toBe(1);
    expect(out).toMatch(
      /S-8 +failed .*\n +expected: the header retry-after.*\n +came: 200, retry-after: \(none\)\n +try it: curl/,
    );
    expect(out).toContain('Bearer $PERDURE_KEY');
    expect(out).not.toContain(api.key);
  },
);

const useless: [string, () => string[], string][] = [
  ['no address', () => ['--token', api.key], '--url is needed'],
  ['an unknown option', () => ['--uri', 'x'], '--uri'],
  ['an unknown rule', () => ['--url', api.url, '--token', api.key, '--only', 'X-1'], 'X-1'],
  [
    'an address where nobody listens',
    () => ['--url', 'http://127.0.0.1:1', '--token', 'x'],
    'cannot be asked',
  ],
  ['a key that is refused', () => ['--url', api.url, '--token', 'pk_x'], 'refused'],
];
for (const [what, args, says] of useless)
  scenario(`${what} is told with the exit code 2`, async () => {
    const { code, err } = await kit(...args());
    expect({ code, said: err.includes(says) }).toEqual({ code: 2, said: true });
  });
