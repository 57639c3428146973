import type { GetJobData, GetLogsData, Job, LogLine, LogPage } from './generated.ts';
import { PerdureUnreachable } from './problem.ts';
import { sleep } from './retry.ts';
import { isTerminal } from './status.ts';
import type { TextStream } from './text-stream.ts';
import type { Transport } from './transport.ts';

const logs = '/v1/jobs/{id}/logs';

export type LogsOptions = Omit<NonNullable<GetLogsData['query']>, 'follow' | 'limit'> & {
  /** Goes on until the job has ended. Without it: the lines that there are. */
  follow?: boolean;
  signal?: AbortSignal;
};

/** The lines in order, each once: `since` is exclusive, and no two lines of a job have the same time. */
export function readLogs(
  transport: Transport,
  id: string,
  { follow = false, signal, ...query }: LogsOptions,
): AsyncGenerator<LogLine, void> {
  return follow ? followed(transport, id, query, signal) : paged(transport, id, query, signal);
}

type Query = NonNullable<GetLogsData['query']>;

async function* paged(
  transport: Transport,
  id: string,
  query: Query,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine, void> {
  let { since } = query;
  for (;;) {
    const { body } = await transport.json<GetLogsData, LogPage>('GET', logs, {
      path: { id },
      query: { ...query, since },
      headers: { accept: 'application/json' },
      signal,
    });
    if (body.items.length === 0) return;
    yield* body.items;
    since = body.nextSince ?? since;
  }
}

/** Ends after a stream that ended in good order and was opened when the job had ended before. */
async function* followed(
  transport: Transport,
  id: string,
  query: Query,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine, void> {
  let { since } = query;
  for (let over = false; ;) {
    const stream = await transport.stream<GetLogsData>(logs, {
      path: { id },
      query: { ...query, since, follow: true },
      headers: { accept: 'application/x-ndjson' },
      signal,
    });
    if (stream === undefined) return;
    try {
      for await (const line of linesOf(stream)) {
        yield line;
        since = line.at;
      }
      if (over) return;
      over = await hasEnded(transport, id, signal);
    } catch (error) {
      if (!(error instanceof PerdureUnreachable)) throw error;
      over = false;
    } finally {
      stream.close();
    }
    if (!over) await sleep(Math.random() * 500, signal);
  }
}

async function hasEnded(transport: Transport, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { body } = await transport.json<GetJobData, Job>('GET', '/v1/jobs/{id}', { path: { id }, signal });
  return isTerminal(body.status) && body.source === 'record';
}

/** A line that broke off is none: it comes again. */
async function* linesOf(stream: TextStream): AsyncGenerator<LogLine, void> {
  let rest = '';
  for (let text = await stream.next(); text !== undefined; text = await stream.next()) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as LogLine;
  }
}
