import type { Batch, Job, JobRequest, SubmitJobsData } from './generated.ts';
import { PerdureProblem } from './problem.ts';
import { isPassing, retrying } from './retry.ts';
import type { Signal, Transport } from './transport.ts';

export type NewJob = Omit<JobRequest, 'validateOnly'>;

/** What became of one request of many; `index` counts them from 0. */
export type Submitted = { index: number; job: Job } | { index: number; problem: PerdureProblem };

type Chunk = { from: number; requests: NewJob[] };
type Options = Signal & { idempotencyKey: string };

/** What the API takes at once: so many jobs, and a body of one megabyte unless its operator says otherwise. */
const [mostJobs, mostBytes] = [1_000, 900_000];

/** Submits them chunk by chunk. The same requests make the same chunks: each has a key of its own, made of the key of all. */
export async function* submitMany(
  transport: Transport,
  requests: Iterable<NewJob> | AsyncIterable<NewJob>,
  options: Options,
): AsyncGenerator<Submitted, void> {
  for await (const chunk of chunksOf(requests)) yield* submitChunk(transport, chunk, options);
}

async function* chunksOf(requests: Iterable<NewJob> | AsyncIterable<NewJob>): AsyncGenerator<Chunk, void> {
  const encoder = new TextEncoder();
  let chunk: Chunk = { from: 0, requests: [] };
  let size = 0;
  for await (const request of requests) {
    const bytes = encoder.encode(JSON.stringify(request)).length + 1;
    const { length } = chunk.requests;
    if (length === mostJobs || (length > 0 && size + bytes > mostBytes)) {
      yield chunk;
      chunk = { from: chunk.from + length, requests: [] };
      size = 0;
    }
    chunk.requests.push(request);
    size += bytes;
  }
  if (chunk.requests.length > 0) yield chunk;
}

/** What is too large for the API goes in halves; a single request that is, is refused alone. */
async function* submitChunk(
  transport: Transport,
  { from, requests }: Chunk,
  options: Options,
): AsyncGenerator<Submitted, void> {
  const answer = await ask(transport, { from, requests }, options).catch((error: unknown) => {
    if (error instanceof PerdureProblem && error.code === 'payload-too-large') return error;
    throw error;
  });
  if (!(answer instanceof PerdureProblem)) {
    for (const [at, item] of answer.entries()) {
      if ('job' in item) yield { index: from + at, job: item.job };
      if ('problem' in item) yield { index: from + at, problem: new PerdureProblem(item.problem) };
    }
  } else if (requests.length === 1) {
    yield { index: from, problem: answer };
  } else {
    const half = Math.ceil(requests.length / 2);
    yield* submitChunk(transport, { from, requests: requests.slice(0, half) }, options);
    yield* submitChunk(transport, { from: from + half, requests: requests.slice(half) }, options);
  }
}

/** A repeat answers with the jobs that there are, and submits anew what was refused: so it is made where a single request failed in passing, too. */
async function ask(
  transport: Transport,
  { from, requests }: Chunk,
  { idempotencyKey, signal }: Options,
): Promise<Batch['items']> {
  let answered: Batch['items'] | undefined;
  const attempt = async (): Promise<Batch['items']> => {
    const { items } = await transport.body<SubmitJobsData, Batch>('POST', '/v1/jobs:batch', {
      body: { requests },
      headers: { 'idempotency-key': `${idempotencyKey}-${from}` },
      signal,
    });
    answered = items;
    const problems = items.flatMap((item) => ('problem' in item ? new PerdureProblem(item.problem) : []));
    const passing = problems.find(isPassing);
    if (passing !== undefined) throw passing;
    return items;
  };
  return retrying(attempt, { retries: transport.retries, signal }).catch((error: unknown) => {
    if (answered === undefined || signal?.aborted === true) throw error;
    return answered;
  });
}
