import type { Job, JobFilter, JobSummary } from '@perdure/client';
import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { say } from '../exit.ts';
import { harmless, print, printFields, printJson, printTable } from '../output.ts';
import { list, number } from '../parameters.ts';
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
    .command('list')
    .description('jobs, newest first')
    .option('-s, --status <statuses>', 'only in these, with commas between', list)
    .option('-f, --function <name>', 'only of this function')
    .option('--page-size <count>', 'how many (200 at most)', number)
    .option('--page-token <token>', 'go on after the page that named this token')
    .option('--all', 'all pages')
    .action(
      async ({ all, ...query }: JobFilter & { pageToken?: string; all?: boolean }, command: Command) => {
        const { perdure, json, signal } = await contextOf(command);
        let page = await perdure.page(query, { signal });
        const items = [...page.items];
        while (all === true && page.nextPageToken !== null) {
          page = await perdure.page({ ...query, pageToken: page.nextPageToken }, { signal });
          items.push(...page.items);
        }
        if (json) return printJson({ ...page, items });
        await printTable(
          ['ID', 'STATUS', 'FUNCTION', 'NAME', 'AGENT', 'PROGRESS', 'CREATED'],
          items.map(rowOf),
        );
        if (page.nextPageToken !== null) say(`More: --page-token ${page.nextPageToken}, or --all`);
      },
    );

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

function rowOf({
  id,
  status,
  function: { name, version },
  name: called,
  agentId,
  progress,
  createdAt,
}: JobSummary) {
  const done = progress === null ? null : `${progress.done}/${progress.total ?? '?'}`;
  return [
    id,
    status,
    version === null ? name : `${name}@${version}`,
    called,
    agentId,
    done,
    createdAt.slice(0, 19),
  ];
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
  };
}
