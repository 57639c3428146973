import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { apiProgram } from '../../../apps/local/src/api-build.ts';
import { root } from '../../../apps/local/src/folders.ts';
import { fromSetup } from '../../support/from-setup.ts';

const execute = promisify(execFile);

/** What most of the time of a start goes into; importing these starts nothing. */
const modules = [
  join(dirname(apiProgram), 'app.js'),
  join(root, 'apps', 'worker', 'src', 'orchestrator.ts'),
  join(root, 'apps', 'worker', 'src', 'agent.ts'),
];

/**
 * The folder in which Node keeps compiled code (`NODE_COMPILE_CACHE`), filled: a program writes to it when it ends, and those of the tests are
 * killed. It halves the time in which one starts.
 */
export async function filledCompileCache(): Promise<string> {
  const folder = fromSetup('TEST_COMPILE_CACHE');
  const isFilled = await access(folder).then(
    () => true,
    () => false,
  );
  if (!isFilled) {
    const script = modules.map((path) => `await import(${JSON.stringify(path)});`).join('\n');
    const env = { ...process.env, NODE_COMPILE_CACHE: folder };
    await execute(process.execPath, ['--input-type=module', '--eval', script], { env });
  }
  return folder;
}
