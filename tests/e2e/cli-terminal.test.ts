import { expect } from '@jest/globals';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { waitFor } from '../support/wait.ts';
import { cli } from './support/cli.ts';
import { type Api, house, type House } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
});

const perdure = () => cli({ url: api.url, key: api.key, home: '/nonexistent' });
const shows = (seen: { text: string }, words: string | RegExp) =>
  waitFor(() => stripVTControlCharacters(seen.text).match(words) !== null, {
    what: `${words} on the terminal`,
    timeoutMs: 30_000,
  });

scenario('whoever waits at a terminal sees a bar with the stage and the time that is left', async () => {
  const { id } = await api.submit({ function: 'count', parameters: { to: 40, everyMs: 100 } });
  const { seen, ended } = perdure().terminal('jobs', 'wait', id);
  await shows(seen, /█+░+ \d+ % RUNNING · execute · \d+\/40.* · \d+ s left/);
  expect(await ended).toBe(0);
  const text = stripVTControlCharacters(seen.text);
  expect(text).toMatch(/COMPLETED after \d+ s\r\n$/);
  const shares = [...text.matchAll(/ (\d+) % RUNNING/g)].map(([, share]) => Number(share));
  expect(shares.length).toBeGreaterThan(2);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  // It hides the cursor while it draws, and gives it back.
  expect(seen.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(seen.text.lastIndexOf('\u001b[?25l'));
});

scenario('Ctrl-C at a terminal leaves the job running, and the cursor visible', async () => {
  const { id } = await api.submit({ function: 'count', parameters: { to: 100_000, everyMs: 100 } });
  const { seen, type, ended } = perdure().terminal('jobs', 'wait', id);
  await shows(seen, /RUNNING · execute/);
  type('\u0003');
  expect(await ended).toBe(130);
  expect(stripVTControlCharacters(seen.text)).toContain(`perdure jobs wait ${id}`);
  expect(seen.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(seen.text.lastIndexOf('\u001b[?25l'));
  await api.cancel(id, { mode: 'force' });
});

scenario('an upload shows how far it is', async () => {
  const path = await here.file('large.csv', 'a,b,c,d\n'.repeat(5_000_000));
  const { seen, ended } = perdure().terminal('files', 'upload', path);
  expect(await ended).toBe(0);
  const text = stripVTControlCharacters(seen.text);
  expect(text).toMatch(/█+░+ \d+ % .*large\.csv · \d+\.\d\/38\.1 MiB/);
  expect(text).toMatch(/[0-9a-f-]{36}\r\n$/);
});

scenario('the key that login asks for is not shown', async () => {
  const home = await mkdtemp(join(tmpdir(), 'perdure-home-'));
  const { seen, type, ended } = cli({ home }).terminal('login', '--url', api.url);
  await shows(seen, 'API key');
  for (const part of [api.key.slice(0, 10), api.key.slice(10), '\r']) type(part);
  expect(await ended).toBe(0);
  for (const part of [api.key, api.key.slice(0, 10), api.key.slice(10)])
    expect(seen.text).not.toContain(part);
  const file = join(home, 'perdure', 'profiles.json');
  expect(JSON.parse(await readFile(file, 'utf8')).profiles.default).toEqual({ url: api.url, token: api.key });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const other = cli({ home }).terminal('login', '--url', api.url, '--profile', 'other');
  await shows(other.seen, 'API key');
  other.type('pk_half\u0003');
  expect(await other.ended).toBe(130);
  expect(other.seen.text).not.toContain('pk_half');
  await rm(home, { recursive: true });
});
