import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startApi } from '../../../../apps/api/src/testing/api.ts';

const generator = join(
  dirname(createRequire(import.meta.url).resolve('@hey-api/openapi-ts/package.json')),
  'bin/run.js',
);

export const generatedFile = fileURLToPath(new URL('../generated.ts', import.meta.url));

/** The types of the client, as the OpenAPI document of the API has them now. */
export async function generate(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-types-'));
  const api = await startApi();
  try {
    const [document, out] = [join(folder, 'openapi.json'), join(folder, 'out')];
    await writeFile(document, (await api.ask('/openapi.json')).text);
    const args = ['-i', document, '-o', out, '-p', '@hey-api/typescript', '--no-log-file', '--silent'];
    await promisify(execFile)(process.execPath, [generator, ...args], { cwd: folder });
    return await readFile(join(out, 'types.gen.ts'), 'utf8');
  } finally {
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
