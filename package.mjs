// `npm run package -- <folder of a workspace> <target>`: what is published of it. Node strips no types under node_modules, so it
// is compiled, and its `exports` and `bin` name the compiled files. `npm publish <target>` does the rest.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const [workspace, target] = process.argv.slice(2).map((path) => resolve(path));
if (target === undefined) throw new Error('Usage: npm run package -- <folder of a workspace> <target>');

const tsc = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', workspace, '--outDir', target], { stdio: 'inherit' });

const manifest = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8'));
delete manifest.private;
const compiled = (text) => text.replace(/^(\.\/)?src\/(.*)\.ts$/, './$2.js');
for (const doors of [manifest.exports, manifest.bin]) {
  for (const [name, file] of Object.entries(doors ?? {})) doors[name] = compiled(file);
}
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
for (const [from, file] of [
  [root, 'LICENSE'],
  [workspace, 'README.md'],
]) {
  copyFileSync(join(from, file), join(target, file));
}
