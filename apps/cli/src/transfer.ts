import { type Download, type File, PerdureProblem, type UploadProgress } from '@perdure/client';
import { saveTo, uploadFrom } from '@perdure/client/node';
import { access, constants } from 'node:fs/promises';
import ora from 'ora';
import type { Context } from './context.ts';
import { say, UsageError } from './exit.ts';
import { harmless } from './output.ts';
import { bar, estimatorOf, inWords } from './progress.ts';

/** Uploads the file at this path, with a bar on a terminal. What is broken off can be gone on with. */
export async function upload(
  path: string,
  { perdure, signal }: Context,
  options: { name?: string; mediaType?: string; resume?: string } = {},
): Promise<File> {
  await access(path, constants.R_OK).catch((cause: unknown) => {
    throw new UsageError(`${path} cannot be read: ${(cause as Error).message}`);
  });
  const shown = showTransfer(path);
  let last: UploadProgress | undefined;
  const onProgress = (progress: UploadProgress): void => {
    last = progress;
    shown.show(progress.sent, progress.total);
  };
  try {
    return await uploadFrom(path, perdure, { ...options, onProgress, signal });
  } catch (error) {
    shown.stop();
    if (last?.upload !== undefined && last.sent > 0 && !(error instanceof PerdureProblem))
      say(`Go on with it: perdure files upload --resume ${last.upload} ${path}`);
    throw error;
  } finally {
    shown.stop();
  }
}

/** Writes a file to a path, with a bar on a terminal. */
export async function save(path: string, download: Download, { signal }: Context): Promise<void> {
  const { size } = download.file;
  const shown = showTransfer(path);
  try {
    await saveTo(path, download, { onProgress: (received) => shown.show(received, size), signal });
  } finally {
    shown.stop();
  }
  say(`${path}: ${size} bytes`);
}

function showTransfer(path: string): { show(done: number, total: number): void; stop(): void } {
  if (!process.stderr.isTTY) return { show: () => {}, stop: () => {} };
  const spinner = ora({ discardStdin: false, stream: process.stderr, text: harmless(path) }).start();
  const remaining = estimatorOf();
  return {
    show(done, total) {
      const share = total === 0 ? 1 : done / total;
      const left = remaining(share);
      const words = [harmless(path), `${inMiB(done)}/${inMiB(total)} MiB`];
      if (left !== undefined) words.push(`${inWords(left)} left`);
      spinner.text = `${bar(share)}${words.join(' · ')}`;
    },
    stop: () => void spinner.stop(),
  };
}

const inMiB = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);
