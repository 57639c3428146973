import { loadLocalConfig } from '@perdure/config/local';
import { relative } from 'node:path';
import { addressTable } from './address-table.ts';
import { readArguments, usage } from './arguments.ts';
import { runExample } from './example/example.ts';
import { makeOutput } from './output.ts';
import { startStack } from './stack.ts';
import { stopRequests } from './stop-requests.ts';

/** The local default: starts everything, runs the example, and serves until it is asked to end. Answers the exit code. */
async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2));
  const output = makeOutput((text) => process.stdout.write(text));
  if (options.help) {
    output.say(usage);
    return 0;
  }
  const config = loadLocalConfig();
  const { signal } = stopRequests();
  let code = 0;
  try {
    const stack = await startStack(config, output, { terminal: process.stdout.isTTY, signal });
    const failed = stack.failed.then((reason) => {
      code = 1;
      output.say(`${reason.message}. Perdure ends.`);
    });
    const asked = new Promise<void>((settle) => {
      if (signal.aborted) settle();
      signal.addEventListener('abort', () => settle());
    });
    output.say(addressTable(stack));
    const work = serve();
    await Promise.race([work, failed, asked]);
    output.say('Ending …');
    await stack.stop();
    output.say('Ended. The data stays in ' + (relative(process.cwd(), config.home) || config.home) + '.');

    async function serve(): Promise<void> {
      if (options.example && !(await runExample(stack, output.say, signal))) code = 1;
      if (options.once) return;
      output.say('Perdure serves. Ctrl-C ends it.');
      await new Promise<never>(() => undefined);
    }
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
  return code;
}

process.exit(
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }),
);
