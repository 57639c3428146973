// `npm test`: checks, the build of the API, and every test. `npm test -- <paths>` runs these tests only.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { prepare, root, runInPlace } from './apps/local/bootstrap.mjs';

const node = await prepare();
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const paths = process.argv.slice(2);

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => (interrupted = true));

const steps = [
  ...(paths.length === 0 && scripts.check
    ? [{ name: 'check', run: () => runInPlace('npm', ['run', '--silent', 'check'], env) }]
    : []),
  {
    name: 'build of the API',
    run: () => runInPlace(node, [join(root, 'apps', 'local', 'src', 'build-api.ts')], env),
  },
];
let passed = 0;
let failed = 0;
for (const { name, run } of steps) {
  if (interrupted) break;
  console.log(`\n== ${name}`);
  const good = (await run()) === 0;
  if (good) passed += 1;
  else failed += 1;
  console.log(`== ${name}: ${good ? 'passed' : 'failed'}`);
}
if (!interrupted) await runTests();
if (interrupted) failed += 1;
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs Jest and counts its tests; a file that does not even load counts as one failure. */
async function runTests() {
  console.log('\n== tests');
  const folder = mkdtempSync(join(tmpdir(), 'perdure-results-'));
  try {
    const file = join(folder, 'results.json');
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    const code = await runInPlace(
      node,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        jest,
        '--json',
        `--outputFile=${file}`,
        ...paths,
      ],
      env,
    );
    const results = readResults(file);
    passed += results.numPassedTests;
    const failures = results.numFailedTests + results.numRuntimeErrorTestSuites;
    failed += code === 0 ? failures : Math.max(1, failures);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
  }
}
