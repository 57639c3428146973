import type { CancelRequest, ReassignRequest } from '@perdure/client';
import { type Command, Option } from 'commander';
import { contextOf } from '../context.ts';
import { UsageError } from '../exit.ts';
import { print, printJson } from '../output.ts';
import { number } from '../parameters.ts';
import { waitAndTell } from './wait.ts';

const grace = new Option('--grace <seconds>', 'how long the function gets to clean up').argParser(number);

export function addControl(jobs: Command): void {
  jobs
    .command('cancel <id>')
    .description('cancel a job')
    .option('--reason <text>', 'for the history')
    .addOption(grace)
    .option('--force', 'give the function no time')
    .option('-w, --wait', 'wait until the job has ended')
    .action(
      async (
        id: string,
        { reason, grace, force, wait }: { reason?: string; grace?: number; force?: boolean; wait?: boolean },
        command: Command,
      ) => {
        const context = await contextOf(command, wait === true ? 'long' : 'short');
        const mode: CancelRequest['mode'] = force === true ? 'force' : undefined;
        const request = { reason, graceSeconds: grace, mode, signal: context.signal };
        const job = await context.perdure.cancel(id, request);
        if (wait === true) return waitAndTell(context, id);
        const told = job.endedAt === null ? `${job.status}, cancel asked for` : job.status;
        await (context.json ? printJson(job) : print(told));
      },
    );

  jobs
    .command('reassign <id>')
    .description('take a job from its agent and give it to another')
    .option('--agent <id>', 'to this agent')
    .option('--pool <name>', 'to an agent of this pool')
    .option('--anyone', 'to any agent that offers the function')
    .option('--reason <text>', 'for the history')
    .addOption(grace)
    .action(
      async (
        id: string,
        options: { agent?: string; pool?: string; anyone?: true; reason?: string; grace?: number },
        command: Command,
      ) => {
        const { agent, pool, anyone, reason, grace } = options;
        if ([agent, pool, anyone].filter((one) => one !== undefined).length !== 1) {
          throw new UsageError('Say to whom: exactly one of --agent, --pool, --anyone');
        }
        const { perdure, json, signal } = await contextOf(command);
        const to = { agentId: agent, pool, anyone, reason, graceSeconds: grace } as ReassignRequest;
        const job = await perdure.reassign(id, { ...to, signal });
        await (json ? printJson(job) : print(`${job.status}, reassignment asked for`));
      },
    );
}
