import type { JobQuery, JobSummary } from '@perdure/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { contextOf } from '../context.ts';
import { say } from '../exit.ts';
import { printJson, printTable } from '../output.ts';
import { list, number } from '../parameters.ts';

type Options = JobQuery & { search?: string; all?: boolean };

export function addList(jobs: Command): void {
  jobs
    .command('list')
    .description('jobs, newest first')
    .option('-s, --status <statuses>', 'only in these, with commas between', list)
    .option('-f, --function <name>', 'only of this function')
    .option('--agent <id>', 'only those that this agent has or had')
    .option('--pool <name>', 'only those that ask for this pool')
    .option('--owner <name>', 'only of this owner')
    .option('--model <name>', 'only with this parameter `model`')
    .option('-l, --label <key=value>', 'only with this label; of several, with all', label)
    .option('-q, --search <text>', 'only with this in the name, in capitals or not')
    .option('--created-after <time>', 'only those of this moment or later, such as 2030-01-01T00:00:00Z')
    .option('--created-before <time>', 'only those from before this moment')
    .option('--ended-after <time>', 'only those that ended at this moment or later')
    .option('--ended-before <time>', 'only those that ended before this moment')
    .addOption(new Option('--archived [any]', 'only archived ones; `any`: these too').argParser(archived))
    .addOption(
      new Option('--sort <by>', 'newest first without it').choices([
        '-createdAt',
        'createdAt',
        '-endedAt',
        'endedAt',
      ]),
    )
    .option('--page-size <count>', 'how many (200 at most)', number)
    .option('--page-token <token>', 'go on after the page that named this token')
    .option('--all', 'all pages')
    .action(async ({ all, search: q, ...rest }: Options, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const query = { ...rest, q };
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
    });

  jobs
    .command('counts')
    .description('how many jobs have each status')
    .action(async (_options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const { counts, archived, asOf } = await perdure.counts({ signal });
      if (json) return printJson({ counts, archived, asOf });
      await printTable(['STATUS', 'JOBS'], [...Object.entries(counts), ['archived', archived]]);
    });
}

function label(text: string, before: string[] = []): string[] {
  const at = text.search(/[=:]/);
  if (at < 1) throw new InvalidArgumentError("Write it as 'key=value'.");
  return [...before, `${text.slice(0, at)}:${text.slice(at + 1)}`];
}

function archived(text: string): 'any' {
  if (text === 'any') return text;
  throw new InvalidArgumentError("Say 'any', or nothing.");
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
