import tab from '@bomb.sh/tab/commander';
import { Command } from 'commander';
import { addAudit } from './audit.ts';
import { addAgents, addFunctions, addKeys } from './catalogue.ts';
import { contextOf } from './context.ts';
import { addEvents } from './events.ts';
import { exitCodesHelp } from './exit.ts';
import { addFiles } from './files.ts';
import { addAgain } from './jobs/again.ts';
import { addControl } from './jobs/control.ts';
import { addList } from './jobs/list.ts';
import { addLogs } from './jobs/logs.ts';
import { addReads } from './jobs/read.ts';
import { addResult } from './jobs/result.ts';
import { addSharing } from './jobs/sharing.ts';
import { addSubmit } from './jobs/submit.ts';
import { addWait } from './jobs/wait.ts';
import { addLogin } from './login.ts';
import { printFields, printJson } from './output.ts';

const environmentHelp = `
Environment:
  PERDURE_URL, PERDURE_TOKEN  the API and the key for it, instead of those of a profile
  XDG_CONFIG_HOME             perdure/profiles.json is kept there; ~/.config without it

Completion: source <(perdure complete bash), or zsh, fish, powershell`;

export function program(version: string): Command {
  const perdure = new Command('perdure')
    .description('Submit, follow and steer jobs of Perdure')
    .version(version)
    .option('--json', 'print what the API answers')
    .option('--profile <name>', 'use this profile; see perdure profiles')
    .option('--url <url>', 'use this API')
    .addHelpText('after', `${exitCodesHelp}\n${environmentHelp}`)
    .exitOverride();
  const jobs = perdure.command('jobs').description('what is to be done, and what became of it');
  for (const add of [
    addSubmit,
    addReads,
    addList,
    addWait,
    addLogs,
    addResult,
    addControl,
    addAgain,
    addSharing,
  ])
    add(jobs);
  for (const add of [addEvents, addFiles, addAgents, addFunctions, addKeys, addAudit, addLogin]) add(perdure);
  perdure
    .command('me')
    .description('whose key this is, and what it may do')
    .action(async (_options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const me = await perdure.me({ signal });
      await (json
        ? printJson(me)
        : printFields({
            name: me.name,
            role: me.role,
            expires: me.expiresAt,
            may: me.permissions.join(', '),
          }));
    });
  tab(perdure);
  for (const command of everyOne(perdure)) command.exitOverride();
  return perdure;
}

function everyOne(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...everyOne(one)]);
}
