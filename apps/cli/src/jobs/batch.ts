import type { NewJob } from '@perdure/client';
import { createReadStream } from 'node:fs';
import type { Context } from '../context.ts';
import { exitCodes, say, UsageError } from '../exit.ts';
import { harmless, print } from '../output.ts';

/** Submits a job for each line of a file of JSON: its id, or what the API refused, as it comes. */
export async function submitBatch(
  path: string,
  { perdure, json, signal }: Context,
  idempotencyKey: string | undefined,
): Promise<void> {
  const lineOf: number[] = [];
  for await (const one of perdure.submitMany(requestsIn(path, lineOf), { idempotencyKey, signal })) {
    const line = lineOf[one.index];
    const refused = 'problem' in one ? one.problem : undefined;
    if (refused !== undefined) {
      process.exitCode = exitCodes.error;
      say(harmless(`line ${line}: ${refused.message} (${refused.code})`));
      for (const { pointer, detail } of refused.errors) say(harmless(`  ${pointer}: ${detail}`));
    }
    if (json)
      await print(
        JSON.stringify('job' in one ? { line, job: one.job } : { line, problem: refused?.problem }),
      );
    else if ('job' in one) await print(one.job.id);
  }
}

/** Notes on which line each stands. */
async function* requestsIn(path: string, lineOf: number[]): AsyncGenerator<NewJob, void> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  let number = 0;
  try {
    for await (const line of linesIn(input.setEncoding('utf8') as AsyncIterable<string>)) {
      number += 1;
      if (line.trim() === '') continue;
      lineOf.push(number);
      yield requestIn(line, number);
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${path} cannot be read: ${(cause as Error).message}`);
  }
}

async function* linesIn(texts: AsyncIterable<string>): AsyncGenerator<string, void> {
  let rest = '';
  for await (const text of texts) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

function requestIn(line: string, number: number): NewJob {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as NewJob;
  } catch (cause) {
    throw new UsageError(`line ${number} is no JSON: ${(cause as Error).message}`);
  }
  throw new UsageError(`line ${number} is no request, such as {"function": "echo", "parameters": {}}`);
}
