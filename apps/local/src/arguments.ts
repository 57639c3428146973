import { parseArgs } from 'node:util';

export type Arguments = { once: boolean; example: boolean; help: boolean };

export const usage = `npm start [-- options]

Starts PostgreSQL, a Temporal server, the API and the workers on this machine, and runs an example job.

  --once         end after the example; the exit code says whether it went well
  --no-example   do not run the example
  --help         show this

The environment variables are listed in .env.example.`;

/** Reads the command line. Throws with the usage when it cannot be understood. */
export function readArguments(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        once: { type: 'boolean' },
        example: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return { once: values.once ?? false, example: values.example ?? true, help: values.help ?? false };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, {
      cause: error,
    });
  }
}
