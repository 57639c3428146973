import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { type FunctionDefinition, OutputError, type ProducedFile } from '@perdure/functions';
import type { ResultFile } from './contract.ts';

export const maxFiles = 1_000;
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const plainName = /^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f]{1,200}$/;
const mediaTypeForm = /^[\w.+-]+\/[\w.+-]+(;[ -~]*)?$/;

/** Holds the files that a function handed over against its declaration. Throws `OutputError`. */
export async function checkFiles(
  definition: FunctionDefinition,
  produced: readonly ProducedFile[],
  scratch: string,
): Promise<ResultFile[]> {
  const { name, files, result } = definition;
  if (produced.length > 0 && !files)
    throw new OutputError(`${name} declares no files, but handed over ${produced.length}`);
  if (produced.length > maxFiles)
    throw new OutputError(`${name} handed over ${produced.length} files; ${maxFiles} are the limit`);
  const home = produced.length > 0 ? await realpath(scratch) : scratch;
  const checked: ResultFile[] = [];
  for (const file of produced) {
    if (checked.some((other) => other.name === file.name))
      throw new OutputError(`${name} handed over two files named '${file.name}'`);
    checked.push(await check(file, home));
  }
  if (result !== null && !checked.some((file) => file.name === result)) {
    throw new OutputError(`${name} declares '${result}' as its result, but did not hand it over`);
  }
  return checked;
}

async function check({ name, mediaType, path }: ProducedFile, home: string): Promise<ResultFile> {
  if (!plainName.test(name)) throw new OutputError(`'${name.slice(0, 200)}' is not the plain name of a file`);
  if (!mediaTypeForm.test(mediaType) || mediaType.length > 200)
    throw new OutputError(`'${mediaType.slice(0, 200)}' is not a media type`);
  const real = await realpath(resolve(home, path)).catch((cause: unknown) => {
    throw new OutputError(`the file '${name}' was handed over, but is not there`, { cause });
  });
  // A link that leads out of the scratch folder would publish whatever the agent can read.
  if (!real.startsWith(home + sep))
    throw new OutputError(`the file '${name}' does not lie in the scratch folder`);
  const status = await stat(real);
  if (!status.isFile()) throw new OutputError(`'${name}' is not a regular file`);
  return { name, mediaType, path: real, size: status.size };
}
