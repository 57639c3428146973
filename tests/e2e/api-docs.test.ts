import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../apps/local/src/folders.ts';
import { checks } from '../conformance/src/checks.ts';
import { type Api, house, type House } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

const text = readFileSync(join(root, 'docs', 'api.md'), 'utf8');
const rules = [...text.matchAll(/^- \*\*([A-Z]-\d+)\*\* (.+)$/gm)].map(([, rule = '', says = '']) => ({
  rule,
  says,
}));

let here: House;
let api: Api;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
});

/** Each block of commands, with what is shown below it. */
const examples = [...text.matchAll(/```sh\n([^]*?)```(?:\n\n```text\n([^]*?)```)?/g)].map(
  ([, commands = '', shown = '']) => ({ commands, shown }),
);

/** Whether the lines that are shown stand in the output, in their order. `…` is whatever is there. */
function missing(shown: string, output: string): string | undefined {
  const lines = output.split(/\r?\n/);
  let from = 0;
  for (const line of shown.split('\n').filter((one) => one !== '')) {
    const parts = line.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const form = new RegExp(`^${parts.join('.*')}$`);
    const at = lines.findIndex((one, index) => index >= from && form.test(one));
    if (at === -1) return line;
    from = at + 1;
  }
  return undefined;
}

scenario('every example runs as it stands, and prints what the document shows', async () => {
  const mark = (index: number): string => `=== example ${index} ===`;
  const script = [
    'set -eu',
    ...examples.map(({ commands }, index) => `${commands}\necho; echo '${mark(index)}'`),
  ];
  const file = await here.file('examples.sh', script.join('\n'));
  const env = { PATH: process.env['PATH'], PERDURE_URL: api.url, PERDURE_KEY: api.key };
  const { stdout } = await promisify(execFile)('bash', [file], { env, cwd: join(file, '..') });
  let rest = stdout;
  for (const [index, { commands, shown }] of examples.entries()) {
    const [output = '', ...others] = rest.split(mark(index));
    rest = others.join(mark(index));
    const lacks = missing(shown, output);
    expect({ commands, output, lacks }).toEqual({ commands, output, lacks: undefined });
  }
  expect(examples.filter(({ shown }) => shown !== '').length).toBeGreaterThan(12);
});

test('what the document shows would be missed', () => {
  expect(missing('a…c\nd\n', 'x\nabc\r\nd')).toBeUndefined();
  expect(missing('a…c\n', 'abd')).toBe('a…c');
  expect(missing('b\na\n', 'a\nb')).toBe('a');
});

test('each rule of the document has a check in the kit, or says why it cannot; and no check lacks its rule', () => {
  const reason = /_Not checkable from outside: .+\._$/;
  const checkable = rules.filter(({ says }) => !reason.test(says)).map(({ rule }) => rule);
  expect(checks.map(({ rule }) => rule)).toEqual(checkable);
  const told = rules.filter(({ says }) => says.includes('checkable'));
  expect(told.filter(({ says }) => !reason.test(says))).toEqual([]);
});

test('the rules of a group are numbered 1, 2, 3 …', () => {
  const groups = Map.groupBy(rules, ({ rule }) => rule.split('-')[0]);
  for (const [group, some] of groups)
    expect(some.map(({ rule }) => rule)).toEqual(some.map((_, index) => `${group}-${index + 1}`));
});
