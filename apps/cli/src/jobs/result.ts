import type { File } from '@perdure/client';
import type { Command } from 'commander';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { contextOf } from '../context.ts';
import { say, UsageError } from '../exit.ts';
import { printJson } from '../output.ts';

export function addResult(jobs: Command): void {
  jobs
    .command('result <id>')
    .description('the result of a job: an output as JSON, or a file')
    .option('-o, --output <path>', 'write it there')
    .action(async (id: string, { output: path }: { output?: string }, command: Command) => {
      const { perdure, signal } = await contextOf(command);
      const result = await perdure.result(id, { signal });
      if (result.kind === 'output') {
        if (path === undefined) return printJson(result.output);
        return writeFile(path, `${JSON.stringify(result.output, null, 2)}\n`);
      }
      const body = Readable.fromWeb(result.body);
      if (path !== undefined) return save(body, result.file, path);
      if (process.stdout.isTTY && !/^text\/|json/.test(result.file.mediaType)) {
        body.destroy();
        throw new UsageError(
          `The result is ${result.file.name}, ${result.file.size} bytes: say --output <path>`,
        );
      }
      await pipeline(body, process.stdout, { end: false });
    });
}

/** The path names whole and right bytes, or what it named before. */
async function save(body: Readable, { name, size, sha256 }: File, path: string): Promise<void> {
  const draft = `${path}.part`;
  const hash = createHash('sha256');
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(body, through, createWriteStream(draft));
    if (hash.digest('hex') !== sha256)
      throw new Error(`${name} arrived with other bytes than it has: try again`);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  say(`${path}: ${size} bytes`);
}
