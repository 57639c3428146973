import type { AuditEntry, AuditQuery } from '@perdure/client';
import type { Command } from 'commander';
import { contextOf } from './context.ts';
import { say } from './exit.ts';
import { print, printJson, printTable } from './output.ts';
import { number } from './parameters.ts';

export function addAudit(program: Command): void {
  program
    .command('audit')
    .description('who did what, newest first; for admins')
    .option('--actor <id>', 'only this user or agent')
    .option('--action <name>', 'only this, such as createKey')
    .option('--target <id>', 'only what was done with the job, file, user … of this id')
    .option('--target-kind <kind>', 'only what was done with such, as job or key')
    .option('--outcome <outcome>', 'only what came to this: done, asked, refused, failed')
    .option('--since <time>', 'only what was done at this moment or later, such as 2030-01-01T00:00:00Z')
    .option('--until <time>', 'only what was done before this moment')
    .option('--page-size <count>', 'how many (200 at most)', number)
    .option('--page-token <token>', 'go on after the page that named this token')
    .option('--all', 'all of it, as one JSON object a line')
    .action(async ({ all, ...query }: AuditQuery & { all?: boolean }, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      if (all === true) {
        for await (const entry of perdure.audit.list(query, { signal })) await print(JSON.stringify(entry));
        return;
      }
      const page = await perdure.audit.page(query, { signal });
      if (json) return printJson(page);
      await printTable(['AT', 'ACTOR', 'ACTION', 'TARGET', 'OUTCOME', 'REASON'], page.items.map(rowOf));
      if (page.nextPageToken !== null) say(`More: --page-token ${page.nextPageToken}, or --all`);
    });
}

function rowOf({ at, actor, action, target, outcome, code, reason }: AuditEntry) {
  const what = target && `${target.kind} ${target.id ?? ''}`.trim();
  return [at.slice(0, 23), actor.id, action, what, code === null ? outcome : `${outcome}: ${code}`, reason];
}
