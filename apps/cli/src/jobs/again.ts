import type { Job, RerunRequest } from '@perdure/client';
import { type Command, Option } from 'commander';
import { contextOf } from '../context.ts';
import { say } from '../exit.ts';
import { print, printJson } from '../output.ts';
import { waitAndTell } from './wait.ts';

/** What is done with jobs that have ended. */
export function addAgain(jobs: Command): void {
  jobs
    .command('rerun <id>')
    .description('run a job again that has ended, as a new one')
    .addOption(
      new Option('--from <stage>', 'leave out what comes before it').choices([
        'claim',
        'validate',
        'execute',
      ]),
    )
    .option('--idempotency-key <key>', 'a repeat with the same key makes no second job')
    .option('-w, --wait', 'wait until the new job has ended')
    .action(
      async (
        id: string,
        { wait, ...options }: RerunRequest & { idempotencyKey?: string; wait?: boolean },
        command: Command,
      ) => {
        const context = await contextOf(command, wait === true ? 'long' : 'short');
        const job = await context.perdure.rerun(id, { ...options, signal: context.signal });
        if (wait !== true) return context.json ? printJson(job) : print(job.id);
        say(job.id);
        return waitAndTell(context, job.id);
      },
    );
  for (const [verb, what] of [
    ['archive', 'take a job that has ended out of the lists'],
    ['restore', 'put an archived job back'],
  ] as const) {
    jobs
      .command(`${verb} <id>`)
      .description(what)
      .option('--reason <text>', 'for the history')
      .action(async (id: string, { reason }: { reason?: string }, command: Command) => {
        const { perdure, json, signal } = await contextOf(command);
        const job = await perdure[verb](id, { reason, signal });
        await (json ? printJson(job) : print(archiving(job)));
      });
  }
}

const archiving = ({ status, archivedAt }: Job): string =>
  archivedAt === null ? status : `${status}, archived ${archivedAt}`;
