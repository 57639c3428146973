/** Runs on a file system of 1 MiB, which is the first argument: a program that writes more, and fails. Prints the failure. */
import { commandFunctions } from '@perdure/functions/command';
import { type FunctionFailure, openSession } from '../session.ts';

const scratch = process.argv[2] ?? '';
const declaration = {
  name: 'writes',
  version: '1.0.0',
  description: 'Writes more than there is room for',
  program: 'sh',
  args: ['-c', 'head -c 2M /dev/zero > file'],
  parameters: { type: 'object', properties: {} },
};
for (const definition of commandFunctions([declaration], { file: '/nowhere/agent.yaml', environment: {} })) {
  const session = openSession({ pack: 'command', definition, scratch });
  await session
    .execute({ parameters: {}, files: {} }, { onLog: () => {}, onProgress: () => {} })
    .catch(({ code, retryable, message }: FunctionFailure) =>
      console.log(JSON.stringify({ code, retryable, message })),
    );
}
