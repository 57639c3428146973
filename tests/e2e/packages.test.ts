import { afterAll, beforeAll, expect } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../apps/local/src/folders.ts';
import { installed } from '../support/packages.ts';
import { type Api, house } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

const run = promisify(execFile);

let api: Api;
let project: string;
const { scenario } = house(sharedServers, async (here) => {
  [api] = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
});

beforeAll(async () => {
  project = await installed('libs/client', 'apps/cli', 'tests/conformance');
}, 180_000);
afterAll(() => rm(project, { recursive: true, force: true }));

/** As whoever has installed them calls them. */
async function npx(...words: string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: project,
    PERDURE_URL: api.url,
    PERDURE_TOKEN: api.key,
    PERDURE_KEY: api.key,
  };
  return (await run('npx', ['--offline', ...words], { cwd: project, env })).stdout;
}

async function versionOf(workspace: string): Promise<string> {
  return JSON.parse(await readFile(join(root, workspace, 'package.json'), 'utf8')).version;
}

scenario('the command runs as it is installed', async () => {
  expect(await npx('perdure', '--version')).toBe(`${await versionOf('apps/cli')}\n`);
  expect(await npx('perdure', '--help')).toContain('Exit codes:');
  expect(await npx('perdure', 'jobs', 'submit', 'echo', '--param', 'n=1', '--wait')).toMatch(
    /^COMPLETED after/,
  );
  expect(await npx('perdure', 'complete', 'bash')).toContain('perdure');
});

scenario('the conformance kit runs as it is installed', async () => {
  expect(await npx('perdure-conformance', '--help')).toContain('--only');
  const told = await npx('@perdure/conformance', '--url', api.url, '--only', 'U-1,S-1,R-4');
  expect(told).toContain('3 passed, 0 failed, 0 skipped');
});

scenario('the examples of the client run as they stand, and fit its types', async () => {
  const readme = await readFile(join(root, 'libs/client/README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code);
  expect(blocks).toHaveLength(3);
  const code = blocks.join('').replace('http://127.0.0.1:3000', api.url).replace('pk_…', api.key);
  await writeFile(join(project, 'examples.js'), code);
  await writeFile(join(project, 'examples.ts'), code);
  await writeFile(join(project, 'rows.csv'), 'a,b\n1,2\n');
  const { stdout } = await run(process.execPath, ['examples.js'], { cwd: project });
  const shown = stdout.split('\n');
  expect(shown[0]).toBe('1 of 10');
  expect(shown.filter((line) => /^[012] [0-9a-f-]{36}$/.test(line))).toHaveLength(3);
  expect(shown).toContain('8 8');
  expect(await readFile(join(project, 'copy.csv'), 'utf8')).toBe('a,b\n1,2\n');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext'];
  const libs = ['--lib', 'es2022,dom,dom.asynciterable'];
  await run(process.execPath, [tsc, ...options, ...libs, 'examples.ts'], { cwd: project });
});
