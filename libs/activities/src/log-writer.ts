import type { Database } from '@perdure/store/database';
import { appendLogs, reportProgress } from '@perdure/store/report';
import type { HeldJob, Progress, SessionHooks, WrittenLine } from './held-job.ts';
import { patiently } from './patiently.ts';

/** Lines are written in batches: when so much time has passed since the first, or so many wait. */
const batchMs = 200;
const batchLines = 2_000;

/** Writes what a function says to the record, in order. A function that says more than the database takes is held up. */
export type LogWriter = SessionHooks & {
  /** Resolves when everything said so far is in the record. Throws 'stale-attempt' when another attempt has taken over. */
  flush(): Promise<void>;
};

export function openLogWriter(db: Database, { request, overtaken }: HeldJob): LogWriter {
  const { jobId, attempt } = request;
  let lines: WrittenLine[] = [];
  let progress: Progress | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const [someLines, someProgress] = [lines, progress];
    [lines, progress] = [[], undefined];
    if (someLines.length > 0) await patiently(() => appendLogs(db, jobId, attempt, someLines));
    if (someProgress !== undefined) await patiently(() => reportProgress(db, jobId, attempt, someProgress));
  }

  /** Writes follow each other; once one was refused, so are all that follow. */
  function next(): Promise<void> {
    writing = writing.then(write);
    // Whatever it was, the function must not go on without being heard.
    writing.catch(overtaken.reject);
    return writing;
  }

  function soon(): void {
    timer ??= setTimeout(() => void next(), batchMs);
  }

  return {
    onLog(line) {
      lines.push(line);
      if (lines.length >= batchLines) return next();
      soon();
    },
    onProgress(latest) {
      progress = latest;
      soon();
    },
    flush: () => (lines.length > 0 || progress !== undefined ? next() : writing),
  };
}
