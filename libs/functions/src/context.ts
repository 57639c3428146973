import { fileFormat } from '@perdure/job/files-in';
import { patterns } from '@perdure/job/ids';
import type { JsonObject } from '@perdure/job/json';
import { z } from 'zod';
import { InputError } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = Record<LogLevel, (text: string) => void>;

/** How far a function is: `done` of `total` (absent: not known) in `unit`. */
export type Progress = { done: number; total?: number; unit?: string; message?: string };

/** A file of the result. `path` lies in the scratch folder (relative paths are taken from there). */
export type ProducedFile = { name: string; mediaType: string; path: string };

/** What a function has while it runs. */
export type Context<Parameters = JsonObject> = {
  parameters: Parameters;
  /** The local path of each file that the parameters name, by file id. Read only. */
  files: Readonly<Record<string, string>>;
  /** A folder of this job alone; removed when the job has ended. */
  scratch: string;
  log: Log;
  /** May be called as often as one likes; what is passed on is throttled. */
  progress: (progress: Progress) => void;
  /** Aborted when the job is cancelled or taken away. Who does not heed it in the grace time is killed. */
  signal: AbortSignal;
  /** Hands over a file. It is uploaded after `execute` has returned. */
  addFile: (file: ProducedFile) => void;
};

/** The type of a parameter that is the id of an uploaded file. The agent fetches the file before the function starts. */
export function fileId(description: string) {
  return z
    .string()
    .regex(patterns.uuid, 'must be the id of a file (a UUID)')
    .meta({ format: fileFormat, description });
}

/** The local path of a file parameter. */
export function pathOf({ files }: Pick<Context, 'files'>, id: string): string {
  const path = files[id];
  if (path === undefined) throw new InputError(`file ${id} was not fetched for this job`);
  return path;
}
