// `npm start`: installs what is missing, then hands over to apps/local on the Node that came with the packages.
import { join } from 'node:path';
import { prepare, root, runInPlace } from './apps/local/bootstrap.mjs';

const node = await prepare();
process.exitCode = await runInPlace(node, [
  join(root, 'apps', 'local', 'src', 'main.ts'),
  ...process.argv.slice(2),
]);
