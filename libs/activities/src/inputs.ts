import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { json } from 'node:stream/consumers';
import type { FunctionDefinition } from '@perdure/functions';
import { describeFunction } from '@perdure/functions/catalogue';
import { PerdureError } from '@perdure/job/errors';
import { filesIn } from '@perdure/job/files-in';
import { isJsonObject, type JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';
import type { Storage } from '@perdure/storage';
import type { Database } from '@perdure/store/database';
import { getFile } from '@perdure/store/read';
import { cancellationSignal } from '@temporalio/activity';
import type { SessionInput } from './held-job.ts';
import { patiently } from './patiently.ts';

/** The parameters, from the start argument or from storage. */
export async function parametersOf(start: JobStart, storage: Storage): Promise<JsonObject> {
  if (start.parametersSha256 === undefined) return start.parameters;
  const parameters: unknown = await json(await storage.read(start.parametersSha256));
  if (!isJsonObject(parameters))
    throw new PerdureError('invalid-parameters', 'the stored parameters are no object');
  return parameters;
}

/** Fetches every file that the parameters name to the scratch folder. Throws 'unknown-file' where one is not the tenant's. */
export async function fetchInputs(
  { db, storage }: { db: Database; storage: Storage },
  job: { start: JobStart; definition: FunctionDefinition; parameters: JsonObject; scratch: string },
): Promise<SessionInput> {
  const { inputSchema } = describeFunction(job.definition);
  const files: Record<string, string> = {};
  const signal = cancellationSignal();
  const folder = join(job.scratch, 'inputs');
  for (const { fileId, pointer } of filesIn(inputSchema, job.parameters)) {
    if (files[fileId] !== undefined) continue;
    const file = await patiently(() => getFile(db, job.start.tenantId, fileId), signal);
    if (file === undefined) {
      throw new PerdureError('unknown-file', `there is no file ${fileId}`, {
        details: [{ pointer, detail: 'no such file' }],
      });
    }
    await mkdir(folder, { recursive: true });
    const path = join(folder, fileId);
    await patiently(async () => pipeline(await storage.read(file.sha256), createWriteStream(path)), signal);
    files[fileId] = path;
  }
  return { parameters: job.parameters, files };
}
