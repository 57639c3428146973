import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { json, oddServer } from './testing/odd-server.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const modules = join(root, 'node_modules');
let project: string;

/** A project of its own, with the package as npm unpacks it and its dependencies. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'perdure-published-'));
  const [target, packed] = [join(project, 'target'), join(project, 'node_modules/@perdure')];
  await run(process.execPath, [join(root, 'package.mjs'), join(root, 'libs/client'), target]);
  await run('npm', ['pack', target, '--pack-destination', project]);
  const [archive = ''] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
  await mkdir(packed, { recursive: true });
  await run('tar', ['-xzf', join(project, archive), '-C', packed]);
  await cp(join(packed, 'package'), join(packed, 'client'), { recursive: true });
  const { dependencies } = JSON.parse(await readFile(join(packed, 'client/package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), 'is-network-error']) {
    await symlink(join(modules, name), join(project, 'node_modules', name));
  }
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
}, 120_000);
afterAll(() => rm(project, { recursive: true, force: true }));

/** This Node, and each that stands on the path. */
async function nodes(): Promise<string[]> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = await Promise.all(
    folders.map((folder) =>
      run(join(folder, 'node'), ['--version']).then(
        ({ stdout }) => [stdout, join(folder, 'node')] as const,
        () => undefined,
      ),
    ),
  );
  return [
    ...new Map([[process.version, process.execPath], ...found.filter((one) => one !== undefined)]).values(),
  ];
}

test('the package runs where nothing of ours is, on each Node there is', async () => {
  await using server = await oddServer(json({ status: 'COMPLETED', revision: 3 }));
  await writeFile(
    join(project, 'main.js'),
    `import { isTerminal, Perdure } from '@perdure/client';
     const job = await new Perdure({ url: process.argv[2], token: 'pk_test' }).wait('j');
     console.log(isTerminal(job.status), job.revision);`,
  );
  for (const node of await nodes()) {
    const { stdout } = await run(node, [join(project, 'main.js'), server.url]);
    expect([node, stdout.trim()]).toEqual([node, 'true 3']);
  }
});

test('its types know the fields of a job, and refuse what does not exist', async () => {
  const head = `import { Perdure } from '@perdure/client';
    const perdure = new Perdure({ url: 'http://127.0.0.1', token: 'pk_test' });
    const job = await perdure.submit({ function: 'echo' });`;
  await writeFile(
    join(project, 'good.ts'),
    `${head} job.status satisfies string; job.progress?.done.toFixed();`,
  );
  await writeFile(join(project, 'bad.ts'), `${head} job.state;`);
  const tsc = (file: string) =>
    run(
      process.execPath,
      [
        join(modules, 'typescript/bin/tsc'),
        '--noEmit',
        '--strict',
        ...['--target', 'es2022', '--lib', 'es2022,dom,dom.asynciterable', '--module', 'nodenext'],
        file,
      ],
      { cwd: project },
    );
  await tsc('good.ts');
  await expect(tsc('bad.ts')).rejects.toMatchObject({ stdout: expect.stringContaining("'state'") });
});

test('it ships no test and no source', async () => {
  const files = await readdir(join(project, 'node_modules/@perdure/client'), { recursive: true });
  expect(files.filter((name) => /test|generate|(?<!\.d)\.ts$/.test(name))).toEqual([
    'generated.d.ts',
    'generated.js',
  ]);
});
