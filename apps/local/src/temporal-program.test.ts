import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { aFolder } from '../../../tests/support/folder.ts';
import { findTemporalProgram, isNewEnough, serverVersion } from './temporal-program.ts';

let folder: Awaited<ReturnType<typeof aFolder>>;
let cache: string;
let steps: string[];

beforeEach(async () => {
  folder = await aFolder('program');
  cache = join(folder.path, 'cache');
  steps = [];
});
afterEach(() => folder.remove());

/** A program that answers `--version` as the real one does. */
function saysVersion(server: string): string {
  return `#!/bin/sh\necho "temporal version 1.5.1 (Server ${server}, UI 2.42.1)"\n`;
}

async function aProgram(path: string, script: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

/** Looks in folders of this test only, and gives the download no time to come about. */
function find(folders: string[]): Promise<string> {
  const path = folders.join(':');
  return findTemporalProgram({ path, cache, onStep: (step) => steps.push(step), downloadTimeoutMs: 1 });
}

test('a program on PATH comes before the one in the cache', async () => {
  const onPath = await aProgram(join(folder.path, 'bin', 'temporal'), saysVersion('1.29.0'));
  await aProgram(join(cache, 'temporal'), saysVersion('1.30.0'));
  expect(await find([join(folder.path, 'empty'), dirname(onPath)])).toBe(onPath);
  expect(steps).toEqual([]);
});

test('one on PATH that is too old is passed over for the one in the cache', async () => {
  const old = await aProgram(join(folder.path, 'bin', 'temporal'), saysVersion('1.28.4'));
  const cached = await aProgram(join(cache, 'temporal'), saysVersion('1.29.1'));
  expect(await find([dirname(old)])).toBe(cached);
  expect(steps).toEqual([]);
});

test('with neither, the download is tried and then Go; the program that Go built is kept in the cache', async () => {
  const go = `#!/bin/sh\n[ "$1" = install ] || exit 1\n/bin/cat > "$GOBIN/temporal" <<'END'\n${saysVersion('1.29.1')}END\n/bin/chmod +x "$GOBIN/temporal"\n`;
  await aProgram(join(folder.path, 'go', 'go'), go);
  expect(await find([join(folder.path, 'go')])).toBe(join(cache, 'temporal'));
  expect(steps).toEqual([
    expect.stringMatching(/^Downloading/),
    expect.stringMatching(/^Building .* with Go/),
  ]);
  expect(await readdir(cache)).toEqual(['temporal']);
  steps.length = 0;
  expect(await find([])).toBe(join(cache, 'temporal'));
  expect(steps).toEqual([]);
});

test('when nothing helps, the error names the remedies and what was tried, and nothing is left behind', async () => {
  const old = await aProgram(join(folder.path, 'bin', 'temporal'), saysVersion('1.20.0'));
  await aProgram(join(folder.path, 'bin', 'go'), '#!/bin/sh\necho "no network" >&2\nexit 1\n');
  const failure = await find([dirname(old)]).catch((error: Error) => error.message);
  expect(failure).toMatch(/install the program `temporal`[^]*install Go[^]*TEMPORAL_ADDRESS/);
  expect(failure).toContain(`${old} brings server 1.20.0, which is older than 1.29`);
  expect(failure).toContain('failed: no network');
  expect(await readdir(cache)).toEqual([]);
});

test('a machine without Go is told so', async () => {
  await expect(find([])).rejects.toThrow('there is no such program on PATH');
});

test('versions are compared as numbers', async () => {
  expect(['1.29.0', '1.100.0', '2.0.0'].map(isNewEnough)).toEqual([true, true, true]);
  expect(['1.28.9', '1.3.0', '0.99.0'].map(isNewEnough)).toEqual([false, false, false]);
  expect(await serverVersion(join(folder.path, 'nothing'))).toBeUndefined();
});
