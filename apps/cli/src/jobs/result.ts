import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { contextOf } from '../context.ts';
import { deliver } from '../files.ts';
import { printJson } from '../output.ts';

export function addResult(jobs: Command): void {
  jobs
    .command('result <id>')
    .description('the result of a job: an output as JSON, or a file')
    .option('-o, --output <path>', 'write it there')
    .action(async (id: string, { output: path }: { output?: string }, command: Command) => {
      const context = await contextOf(command, 'transfer');
      const result = await context.perdure.result(id, { signal: context.signal });
      if (result.kind === 'file') return deliver(result, path, context);
      if (path === undefined) return printJson(result.output);
      return writeFile(path, `${JSON.stringify(result.output, null, 2)}\n`);
    });
}
