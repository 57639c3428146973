import { readEnvironment } from '@perdure/config/environment';
import { loadLocalConfig } from '@perdure/config/local';
import { addressTable, shown } from './address-table.ts';
import { readArguments, usage } from './arguments.ts';
import { commands } from './example/commands.ts';
import { runExample } from './example/example.ts';
import { makeOutput } from './output.ts';
import { startStack } from './stack.ts';
import { stopRequests, StopRequested } from './stop-requests.ts';

/** The local default: starts everything, runs the example, and serves until it is asked to end. Answers the exit code. */
async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2));
  const output = makeOutput((text) => process.stdout.write(text));
  if (options.help) {
    output.say(usage);
    return 0;
  }
  const config = loadLocalConfig();
  const { signal, asked } = stopRequests();
  const allLogs = readEnvironment()['LOG_LEVEL'] !== undefined;
  const stack = await startStack(config, output, { terminal: process.stdout.isTTY, allLogs, signal });

  const work = async (): Promise<number> => {
    const good = !options.example || (await runExample(stack, output.say, signal));
    if (options.once) return good ? 0 : 1;
    if (options.example) output.say(commands({ apiUrl: stack.apiUrl, keyFile: stack.home.adminKey }));
    output.say('Perdure serves. Ctrl-C ends it.');
    return new Promise(() => undefined);
  };
  const failure = async (): Promise<number> => {
    output.say(`${(await stack.failed).message}. Perdure ends.`);
    return 1;
  };
  output.say(addressTable(stack));
  try {
    return await Promise.race([work(), failure(), asked.then(() => 0)]);
  } finally {
    output.say('Ending …');
    await stack.stop();
    output.say(`Ended. The data stays in ${shown(config.home)}.`);
  }
}

process.exit(
  await main().catch((error: unknown) => {
    if (error instanceof StopRequested) return 0;
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }),
);
