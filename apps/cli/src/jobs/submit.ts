import type { JobRequest } from '@perdure/client';
import type { Command } from 'commander';
import { contextOf, type Context } from '../context.ts';
import { say, UsageError } from '../exit.ts';
import { print, printJson } from '../output.ts';
import { nameAndVersion, number, pair, parametersFrom } from '../parameters.ts';
import { upload } from '../transfer.ts';
import { submitBatch } from './batch.ts';
import { waitAndTell } from './wait.ts';

type Options = {
  parameters?: string;
  param?: Record<string, string>;
  file?: Record<string, string>;
  label?: Record<string, string>;
  name?: string;
  pool?: string;
  agent?: string;
  tool?: string;
  os?: string;
  priority?: number;
  notBefore?: string;
  queueSeconds?: number;
  runSeconds?: number;
  totalSeconds?: number;
  id?: string;
  idempotencyKey?: string;
  batch?: string;
  validateOnly?: boolean;
  wait?: boolean;
};

export function addSubmit(jobs: Command): void {
  jobs
    .command('submit [function]')
    .description('submit a job of a function, which is a name or name@version; or many')
    .option('-p, --parameters <json>', 'what the function takes: JSON, @file, or - for stdin')
    .option('--param <key=value>', 'one parameter; JSON is taken as such, all else as text', pair)
    .option('--file <key=path>', 'upload this file, and give its id as this parameter', pair)
    .option('-l, --label <key=value>', 'a name and value of your own', pair)
    .option('--name <text>', 'a name for people')
    .option('--pool <name>', 'only agents of this pool')
    .option('--agent <id>', 'only this agent')
    .option('--tool <name[@version]>', 'only agents that have this tool')
    .option('--os <name>', 'only agents that run on it')
    .option('--priority <1-5>', '1 (first) to 5 (last)', number)
    .option('--not-before <time>', 'not before this moment, such as 2030-01-01T00:00:00Z')
    .option('--queue-seconds <seconds>', 'longest wait for an agent', number)
    .option('--run-seconds <seconds>', 'longest run on one agent', number)
    .option('--total-seconds <seconds>', 'longest life', number)
    .option('--id <uuid>', 'choose the id yourself')
    .option('--idempotency-key <key>', 'a repeat with the same key makes no second job')
    .option(
      '--batch <path>',
      'a job for each line, a request as JSON: a file, or - for stdin; no function is named',
    )
    .option('--validate-only', 'check it all, and make no job')
    .option('-w, --wait', 'wait until the job has ended')
    .action(async (name: string | undefined, options: Options, command: Command) => {
      const transfers = options.file !== undefined || options.batch !== undefined;
      const context = await contextOf(
        command,
        options.wait === true ? 'long' : transfers ? 'transfer' : 'short',
      );
      if (options.batch !== undefined) {
        const { batch, idempotencyKey, ...others } = options;
        if (name !== undefined || Object.keys(others).length > 0)
          throw new UsageError('--batch goes with --idempotency-key alone: its lines say all else');
        return submitBatch(batch, context, idempotencyKey);
      }
      if (name === undefined) throw new UsageError('Say which function, or --batch <path>');
      const { perdure, json, signal } = context;
      const request = await requestOf(name, options, context);
      if (options.validateOnly === true) {
        const valid = await perdure.validate(request, { signal });
        return json
          ? printJson(valid)
          : print(`${valid.function.name}@${valid.function.version} would run it`);
      }
      const job = await perdure.submit(request, { idempotencyKey: options.idempotencyKey, signal });
      if (options.wait !== true) return json ? printJson(job) : print(job.id);
      say(job.id);
      return waitAndTell(context, job.id);
    });
}

async function requestOf(name: string, options: Options, context: Context): Promise<JobRequest> {
  const { queueSeconds, runSeconds, totalSeconds } = options;
  const { name: called, version } = nameAndVersion(name);
  const parameters = await parametersFrom(options.parameters, options.param);
  const limits = { queueSeconds, runSeconds, totalSeconds };
  return {
    function: called,
    version,
    parameters:
      options.file === undefined ? parameters : { ...parameters, ...(await uploaded(options.file, context)) },
    labels: options.label,
    name: options.name,
    pool: options.pool,
    assignedAgentId: options.agent,
    tool: options.tool === undefined ? undefined : nameAndVersion(options.tool),
    operatingSystem: options.os,
    priority: options.priority,
    notBefore: options.notBefore,
    limits: Object.values(limits).every((limit) => limit === undefined) ? undefined : limits,
    id: options.id,
  };
}

async function uploaded(files: Record<string, string>, context: Context): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const [key, path] of Object.entries(files)) ids[key] = (await upload(path, context)).id;
  return ids;
}
