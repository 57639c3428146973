import type { LogsOptions } from '@perdure/client';
import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { harmless, print } from '../output.ts';
import { list, number } from '../parameters.ts';

type Options = Pick<LogsOptions, 'follow' | 'since' | 'attempt' | 'level'> & {
  stream?: string[];
  grep?: string;
  timestamps?: boolean;
};

export function addLogs(jobs: Command): void {
  jobs
    .command('logs <id>')
    .description('what a job logged; with --json a JSON object a line')
    .option('-f, --follow', 'go on until the job has ended')
    .option('-t, --timestamps', 'time, stream and level before each line')
    .option('--since <time>', 'only after this moment')
    .option('--attempt <number>', 'only of this attempt', number)
    .option('--stream <streams>', 'only of these: stdout, stderr, log', list)
    .option('--level <level>', 'only of this level or a graver one: debug, info, warn, error')
    .option('--grep <text>', 'only with this text, in capitals or not')
    .action(async (id: string, { grep, timestamps, stream, ...options }: Options, command: Command) => {
      const { perdure, json, signal } = await contextOf(command, options.follow === true ? 'long' : 'short');
      const query = { ...options, q: grep, stream: stream as LogsOptions['stream'] };
      for await (const line of perdure.logs(id, { ...query, signal })) {
        const text = process.stdout.isTTY ? harmless(line.text) : line.text;
        if (json) await print(JSON.stringify(line));
        else await print(timestamps === true ? `${line.at} ${line.stream} ${line.level} ${text}` : text);
      }
    });
}
