import { expect } from '@jest/globals';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli } from './support/cli.ts';
import { type Api, house } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let api: Api;
const { scenario } = house(sharedServers, async (here) => {
  api = await here.startApi();
});

/** A folder for profiles, and the command without any address of its own. */
async function withHome(body: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'perdure-home-'));
  await body(home);
  await rm(home, { recursive: true });
}
const login = (home: string, ...args: string[]) =>
  cli({ home }).runWith(`${api.key}\n`, 'login', '--url', api.url, ...args);

scenario('a profile is kept where nobody else can read it, and used from then on', () =>
  withHome(async (home) => {
    expect(await cli({ home }).run('me')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('perdure login'),
    });
    expect(await login(home)).toMatchObject({ code: 0, stdout: '' });
    const folder = join(home, 'perdure');
    expect(await readdir(folder)).toEqual(['profiles.json']);
    expect((await stat(join(folder, 'profiles.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await cli({ home }).json('me')).toMatchObject({ role: 'admin' });
    const { stdout } = await cli({ home }).run('profiles');
    expect(stdout).toMatch(new RegExp(`^default +${api.url} +yes$`, 'm'));
    expect(stdout).not.toContain(api.key);
  }),
);

scenario('a profile that others may read is refused', () =>
  withHome(async (home) => {
    await login(home);
    await chmod(join(home, 'perdure', 'profiles.json'), 0o644);
    expect(await cli({ home }).run('me')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('chmod 600'),
    });
    expect(await login(home)).toMatchObject({ code: 2 });
  }),
);

scenario('a key that is no good is not kept', () =>
  withHome(async (home) => {
    const wrong = await cli({ home }).runWith('pk_wrong', 'login', '--url', api.url);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('unauthenticated') });
    expect(await cli({ home }).runWith('', 'login', '--url', api.url)).toMatchObject({ code: 2 });
    expect(await cli({ home }).runWith(api.key, 'login')).toMatchObject({ code: 2 });
    expect(await readdir(home)).toEqual([]);
  }),
);

scenario('a key goes to no other server than the one it is for', () =>
  withHome(async (home) => {
    await login(home);
    const other = await cli({ home }).run('me', '--url', 'http://127.0.0.1:1');
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the key for http://127.0.0.1:1'),
    });
    expect(await cli({ home, url: 'http://127.0.0.1:1' }).run('me')).toMatchObject({ code: 2 });
    expect(await cli({ home }).run('me', '--url', api.url)).toMatchObject({ code: 0 });
  }),
);

scenario('the environment wins over the profile in use, and a profile that is named wins over it', () =>
  withHome(async (home) => {
    await login(home, '--profile', 'here');
    const elsewhere = { home, url: 'http://127.0.0.1:1', key: 'pk_no' };
    expect(await cli(elsewhere).run('me')).toMatchObject({ code: 5 });
    expect(await cli(elsewhere).run('me', '--profile', 'here')).toMatchObject({ code: 0 });
    expect(await cli({ home, key: 'pk_no' }).run('me')).toMatchObject({ code: 1 });
    expect(await cli({ home }).run('me', '--profile', 'there')).toMatchObject({ code: 2 });
  }),
);

scenario('profiles are chosen and forgotten', () =>
  withHome(async (home) => {
    await login(home, '--profile', 'one');
    await login(home, '--profile', 'two');
    expect(await cli({ home }).run('profiles', 'use', 'one')).toMatchObject({ code: 0 });
    expect(await cli({ home }).json('profiles', 'list')).toMatchObject({
      items: [
        { name: 'one', current: true },
        { name: 'two', current: false },
      ],
    });
    expect(await cli({ home }).run('profiles', 'remove', 'one')).toMatchObject({ code: 0 });
    expect(await cli({ home }).run('me')).toMatchObject({ code: 2 });
    expect(await readFile(join(home, 'perdure', 'profiles.json'), 'utf8')).not.toContain('"one": {');
  }),
);

scenario('shells complete commands and options', () =>
  withHome(async (home) => {
    const complete = async (...words: string[]) =>
      (await cli({ home }).run('complete', '--', ...words)).stdout;
    expect(await complete('jo')).toMatch(/^jobs\t/m);
    expect(await complete('jobs', 'rea')).toMatch(/^reassign\t/m);
    expect(await complete('jobs', 'submit', '--prio')).toMatch(/^--priority\t/m);
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect(await cli({ home }).run('complete', shell)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('perdure'),
      });
    }
    expect(await cli({ home }).shell('source <(perdure complete bash) && complete -p perdure')).toMatchObject(
      {
        code: 0,
        stdout: expect.stringContaining('perdure'),
      },
    );
  }),
);
