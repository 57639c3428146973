import type { Job } from '@perdure/client';
import type { Command } from 'commander';
import { type Context, contextOf } from '../context.ts';
import { exitCodes, Interrupted, say } from '../exit.ts';
import { harmless, print, printJson } from '../output.ts';
import { inWords, showProgress } from '../progress.ts';

export function addWait(jobs: Command): void {
  jobs
    .command('wait <id>')
    .description('wait until the job has ended, and show how far it is; Ctrl-C leaves it running')
    .action(async (id: string, _options: object, command: Command) =>
      waitAndTell(await contextOf(command, 'long'), id),
    );
}

/** The exit code says how the job ended. */
export async function waitAndTell({ perdure, json, signal }: Context, id: string): Promise<void> {
  const progress = showProgress();
  try {
    const job = await perdure.wait(id, { signal, onChange: progress.show });
    progress.stop();
    process.exitCode = exitOf(job);
    await (json ? printJson(job) : tell(job));
  } catch (error) {
    progress.stop();
    if (error instanceof Interrupted) say(`The job goes on. Come back to it: perdure jobs wait ${id}`);
    throw error;
  }
}

export function exitOf({ status }: Job): number {
  if (status === 'FAILED') return exitCodes.failed;
  return status === 'CANCELED' ? exitCodes.canceled : exitCodes.done;
}

async function tell(job: Job): Promise<void> {
  const seconds = (Date.parse(job.endedAt ?? job.updatedAt) - Date.parse(job.createdAt)) / 1_000;
  await print(`${job.status} after ${inWords(seconds)}`);
  if (job.error === null) return;
  say(harmless(`${job.error.title}: ${job.error.detail} (${job.error.code})`));
  for (const { pointer, detail } of job.error.errors ?? []) say(harmless(`  ${pointer}: ${detail}`));
}
