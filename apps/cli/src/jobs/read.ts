import type { Job } from '@perdure/client';
import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { harmless, print, printFields, printJson, printTable } from '../output.ts';
import { describe } from '../progress.ts';

export function addReads(jobs: Command): void {
  jobs
    .command('get <id>')
    .description('what is known of a job')
    .action(async (id: string, _options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const job = await perdure.get(id, { signal });
      await (json ? printJson(job) : printFields(fieldsOf(job)));
    });

  jobs
    .command('history <id>')
    .description('all that happened to a job')
    .action(async (id: string, _options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const items = await perdure.history(id, { signal });
      if (json) return printJson({ items });
      await printTable(
        ['AT', 'EVENT', 'STATUS', 'ATTEMPT', 'AGENT', 'BY', 'MESSAGE'],
        items.map((one) => [one.at, one.type, one.status, one.attempt, one.agentId, one.actor, one.message]),
      );
    });

  jobs
    .command('events <id>')
    .description(
      'what happens to a job, until it has ended; with --json all that the stream tells, a line each',
    )
    .action(async (id: string, _options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command, 'long');
      for await (const message of perdure.events(id, { signal })) {
        if (json) await print(JSON.stringify(message));
        else if (message.type === 'history') {
          const { at, type, status, message: said } = message.event;
          await print(harmless([at, type, status, said].filter((part) => part !== null).join('  ')));
        }
      }
    });
}

function fieldsOf(job: Job) {
  const { function: of, error } = job;
  const json = (value: object | null) =>
    value === null || Object.keys(value).length === 0 ? null : JSON.stringify(value);
  return {
    id: job.id,
    name: job.name,
    status: job.endedAt === null ? describe(job, undefined) : job.status,
    function: of.version === null ? of.name : `${of.name}@${of.version}`,
    agent: job.agentId,
    pool: job.pool,
    attempt: job.attempt,
    labels: json(job.labels),
    parameters: json(job.parameters),
    output: json(job.output),
    files: job.files.map(({ name, size }) => `${name} (${size} bytes)`).join(', '),
    error: error === null ? null : `${error.detail} (${error.code})`,
    created: job.createdAt,
    started: job.startedAt,
    ended: job.endedAt,
    archived: job.archivedAt,
    'rerun of': job.rerunOf,
    reruns: job.reruns.join(', '),
  };
}
