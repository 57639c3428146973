/**
 * Runs one function in this process, as `node run-function.ts '<JSON of a Run>'`, and prints a `Ran` as JSON.
 * Jest gives each test file typed arrays of its own, which a native library cannot make; so functions with one are tested here.
 */
import { loadPack, type PackName } from '@perdure/functions/packs';
import type { ProducedFile } from '@perdure/functions';
import { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';

export type Run = {
  pack: PackName;
  name: string;
  stages: ('validate' | 'execute')[];
  parameters: JsonObject;
  files: Record<string, string>;
  scratch: string;
};
export type Ran = {
  output: unknown;
  files: ProducedFile[];
  progress: { done: number; total?: number }[];
  error: { code: string; message: string; details: { pointer: string; detail: string }[] } | null;
  peakMegabytes: number;
};

const { pack, name, stages, ...given } = JSON.parse(process.argv[2] ?? '') as Run;
const definition = (await loadPack(pack)).find((one) => one.name === name);
const ran: Ran = { output: null, files: [], progress: [], error: null, peakMegabytes: 0 };
const silent = () => {};
const context = {
  ...given,
  log: { debug: silent, info: silent, warn: silent, error: silent },
  progress: (one: { done: number; total?: number }) => void ran.progress.push(one),
  signal: new AbortController().signal,
  addFile: (file: ProducedFile) => void ran.files.push(file),
};
try {
  for (const stage of stages) ran.output = await definition?.[stage]?.(context);
} catch (error) {
  if (!(error instanceof PerdureError)) throw error;
  ran.error = { code: error.code, message: error.message, details: [...error.details] };
}
ran.progress = ran.progress.slice(-1);
ran.peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify(ran));
