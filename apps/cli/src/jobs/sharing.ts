import type { AccessEntry } from '@perdure/client';
import { type Command, Option } from 'commander';
import { contextOf } from '../context.ts';
import { say } from '../exit.ts';
import { print, printJson, printTable } from '../output.ts';

/** Who has access to a job. */
export function addSharing(jobs: Command): void {
  jobs
    .command('access <id>')
    .description('who has access to a job, its owner first')
    .action(async (id: string, _options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const items = await perdure.access.list(id, { signal });
      if (json) return printJson({ items });
      await printTable(
        ['USER', 'NAME', 'E-MAIL', 'ACCESS', 'SINCE'],
        items.map(({ user, access, grantedAt }) => [
          user.id,
          user.displayName,
          user.email,
          access,
          grantedAt,
        ]),
      );
    });

  jobs
    .command('share <id> <user>')
    .description('give a user, named by e-mail address or id, access to a job')
    .addOption(
      new Option('--as <access>', 'what the user may do')
        .choices(['viewer', 'editor', 'owner'])
        .default('viewer'),
    )
    .option('--reason <text>', 'for those who look at it later')
    .action(
      async (
        id: string,
        named: string,
        { as: access, reason }: { as: AccessEntry['access']; reason?: string },
        command: Command,
      ) => {
        const { perdure, json, signal } = await contextOf(command);
        const user = named.includes('@') ? { email: named } : { id: named };
        const given = await perdure.access.give(id, { user, access, reason, signal });
        await (json ? printJson(given) : print(`${given.user.id} ${given.access}`));
      },
    );

  jobs
    .command('unshare <id> <user>')
    .description('take access to a job away from a user, named by id')
    .action(async (id: string, userId: string, _options: object, command: Command) => {
      const { perdure, signal } = await contextOf(command);
      await perdure.access.take(id, userId, { signal });
      say(`${userId} has no access of its own to ${id}`);
    });
}
