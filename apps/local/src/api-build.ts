import { execa } from 'execa';
import { createHash } from 'node:crypto';
import { access, glob, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './folders.ts';

const sources = [
  'apps/api/src/**/*.ts',
  'apps/api/{package,tsconfig,tsconfig.*}.json',
  'nest-cli.json',
  'tsconfig.json',
  'package-lock.json',
];

export const apiProgram = join(root, 'apps', 'api', 'dist', 'main.js');
const marker = join(root, 'apps', 'api', 'dist', '.built-from');

/** Compiles the API unless what lies in `dist` was made from these very sources. Rejects with the compiler's words. */
export async function buildApi(signal?: AbortSignal): Promise<'built' | 'unchanged'> {
  const fingerprint = await fingerprintOfSources();
  if ((await readFile(marker, 'utf8').catch(() => '')) === fingerprint && (await exists(apiProgram)))
    return 'unchanged';
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const { exitCode, all } = await execa(process.execPath, [nest, 'build', 'api'], {
    cwd: root,
    all: true,
    reject: false,
    stdin: 'ignore',
    ...(signal ? { cancelSignal: signal } : {}),
  });
  signal?.throwIfAborted();
  if (exitCode !== 0 || !(await exists(apiProgram))) throw new Error(`The API cannot be compiled:\n${all}`);
  await writeFile(marker, fingerprint);
  return 'built';
}

async function fingerprintOfSources(): Promise<string> {
  const files: string[] = [];
  for await (const file of glob(sources, { cwd: root })) files.push(file);
  const hash = createHash('sha256');
  for (const file of files.sort()) hash.update(`${file}\n`).update(await readFile(join(root, file)));
  return hash.digest('hex');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
