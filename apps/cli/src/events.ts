import { type Command, Option } from 'commander';
import { contextOf } from './context.ts';
import { Interrupted, say } from './exit.ts';
import { harmless, print } from './output.ts';

export function addEvents(program: Command): void {
  program
    .command('events')
    .description('what happens to all jobs from now on; with --json a JSON object a line')
    .option('--after <id>', 'from after this event on: its `id` in --json')
    // Those who know `logs -f` say it here as well; there is no end to stop at without it.
    .addOption(new Option('-f, --follow').hideHelp())
    .action(async ({ after }: { after?: string }, command: Command) => {
      const { perdure, json, signal } = await contextOf(command, 'long');
      let last = after;
      const onOpen = (id: string): void => {
        last ??= id;
        say('Listening. Ctrl-C ends it.');
      };
      try {
        for await (const message of perdure.allEvents({ lastEventId: after, onOpen, signal })) {
          last = message.id;
          const { at, jobId, type, status, message: said } = message.event;
          const words = [at, jobId, type, status, said].filter((part) => part !== null);
          await print(json ? JSON.stringify(message) : harmless(words.join('  ')));
        }
      } catch (error) {
        if (error instanceof Interrupted && last !== undefined)
          say(`Go on from here: perdure events --after ${last}`);
        throw error;
      }
    });
}
