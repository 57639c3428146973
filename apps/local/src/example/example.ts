import { File, FunctionList, Job } from '@perdure/job/schemas';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pc from 'picocolors';
import { root } from '../folders.ts';
import type { Stack } from '../stack.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { follow } from './follow.ts';

const folder = join(root, 'examples', 'breast-cancer');
/** The parameters of `predict`, and the files of the example that they are. */
const inputs = { model: 'model.onnx', modelCard: 'model.json', data: 'score.csv' } as const;

/** Runs the example job through the API before the user's eyes. Answers whether it was COMPLETED. */
export async function runExample(
  { apiUrl, adminKey }: Pick<Stack, 'apiUrl' | 'adminKey'>,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const api = apiClient(apiUrl, adminKey, signal);
  try {
    say(pc.bold('An example: which tumours in examples/breast-cancer/score.csv are benign? A model says.'));
    await untilServed(api, 'predict', signal);
    const parameters = await upload(api);
    const job = await submit(api, parameters);
    say(`  job ${pc.cyan(job.id)} runs the function predict`);
    const end = await follow(api, job.id, say);
    if (end.status !== 'COMPLETED') {
      say(pc.red(`The example ended as ${end.status}: ${end.error?.detail ?? 'without a reason'}`));
      return false;
    }
    say(await firstRows(api, job.id));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    say(pc.red(`The example failed: ${error instanceof Error ? error.message : String(error)}`));
    return false;
  }
}

/** The API is ready as soon as jobs can be taken; the agent announces what it can run a moment later. */
async function untilServed(api: ApiClient, name: string, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const { items } = FunctionList.parse(await (await api('/v1/functions')).json());
    if (items.some((one) => one.name === name)) return;
    await delay(100, undefined, { signal });
  }
  throw new Error(`No agent has announced the function ${name} within 30 s`);
}

async function upload(api: ApiClient): Promise<Record<string, string>> {
  const uploaded = Object.entries(inputs).map(async ([parameter, name]) => {
    const answer = await api(`/v1/files?name=${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(await readFile(join(folder, name))),
    });
    return [parameter, File.parse(await answer.json()).id] as const;
  });
  return Object.fromEntries(await Promise.all(uploaded));
}

async function submit(api: ApiClient, parameters: Record<string, string>): Promise<Job> {
  const answer = await api('/v1/jobs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ function: 'predict', name: 'breast cancer example', parameters }),
  });
  return Job.parse(await answer.json());
}

async function firstRows(api: ApiClient, jobId: string): Promise<string> {
  const rows = (await (await api(`/v1/jobs/${jobId}/result`)).text()).trimEnd().split('\n');
  const shown = rows.slice(0, 6).map((row) => `  ${row}`);
  return [pc.bold(`The result has ${rows.length - 1} rows, and begins:`), ...shown].join('\n');
}
