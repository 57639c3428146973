#!/usr/bin/env node
import { exitCodes, report } from './exit.ts';
import { program } from './program.ts';

// Whoever reads may have read enough, such as `head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.done);
});

try {
  await program('0.1.0').parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
