import type { Command } from 'commander';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Download } from '@perdure/client';
import { type Context, contextOf } from './context.ts';
import { UsageError } from './exit.ts';
import { print, printFields, printJson } from './output.ts';
import { save, upload } from './transfer.ts';

export function addFiles(program: Command): void {
  const files = program.command('files').description('what jobs take, and what they bring forth');
  files
    .command('upload <path>')
    .description('upload a file of any size, and print its id')
    .option('--name <name>', 'call it so; the name that it has here without it')
    .option('--media-type <type>', 'such as text/csv')
    .option('--resume <upload>', 'go on with this upload of the same file, which was broken off')
    .action(
      async (
        path: string,
        options: { name?: string; mediaType?: string; resume?: string },
        command: Command,
      ) => {
        const context = await contextOf(command, 'transfer');
        const file = await upload(path, context, options);
        await (context.json ? printJson(file) : print(file.id));
      },
    );
  files
    .command('get <id>')
    .description('what is known of a file')
    .action(async (id: string, _options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const file = await perdure.files.get(id, { signal });
      const { name, mediaType, size, sha256, createdAt } = file;
      await (json
        ? printJson(file)
        : printFields({ id, name, type: mediaType, size: `${size} bytes`, sha256, created: createdAt }));
    });
  files
    .command('download <id>')
    .description('the bytes of a file')
    .option('-o, --output <path>', 'write them there; to stdout without it')
    .action(async (id: string, { output }: { output?: string }, command: Command) => {
      const context = await contextOf(command, 'transfer');
      const { signal } = context;
      await deliver(await context.perdure.files.download(id, { signal }), output, context);
    });
}

/** To a path, which then names whole and right bytes or what it named before, or to stdout. */
export async function deliver(download: Download, path: string | undefined, context: Context): Promise<void> {
  const { file, body } = download;
  if (path !== undefined) {
    await save(path, download, context);
    return context.json ? printJson(file) : undefined;
  }
  if (process.stdout.isTTY && !/^text\/|json/.test(file.mediaType)) {
    await body.cancel();
    throw new UsageError(`This is ${file.name}, ${file.size} bytes: say --output <path>`);
  }
  await pipeline(Readable.fromWeb(body), process.stdout, { end: false });
}
