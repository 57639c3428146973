/** A program of its own, so that nothing but the runner counts: runs the text that it is given with `sh`, and tells what became of its lines and what that took. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandFunctions } from '@perdure/functions/command';
import { openSession } from '../session.ts';

export type Flood = { lines: number; last: string; megabytes: number };

const declaration = {
  name: 'flood',
  version: '1.0.0',
  description: 'A flood.',
  program: 'sh',
  args: ['-c', process.argv[2] ?? ''],
  parameters: { type: 'object', properties: {} },
};
const [definition] = commandFunctions([declaration], { file: '/nowhere/agent.yaml', environment: {} });
if (definition === undefined) throw new Error('the program was not declared');

const scratch = await mkdtemp(join(tmpdir(), 'flood-'));
const session = openSession({ pack: 'command', definition, scratch });
const megabytes = (): number => process.memoryUsage.rss() / 1024 ** 2;
const idle = megabytes();
const flood: Flood = { lines: 0, last: '', megabytes: 0 };
const look = setInterval(() => (flood.megabytes = Math.max(flood.megabytes, megabytes() - idle)), 20);
try {
  const onLog = ({ text }: { text: string }): void => {
    flood.lines += 1;
    flood.last = text;
  };
  await session.execute({ parameters: {}, files: {} }, { onLog, onProgress: () => {} });
} finally {
  clearInterval(look);
  await session.kill();
  await rm(scratch, { recursive: true });
}
console.log(JSON.stringify(flood));
