import type { ErrorDetail } from '@perdure/job/errors';
import { isJsonObject, type JsonObject } from '@perdure/job/json';
import { detailsWithoutSecrets, secretsOf } from '@perdure/job/secrets';
import type { z } from 'zod';
import { schemaOf } from './catalogue.ts';
import type { FunctionDefinition } from './definition.ts';
import { InputError, OutputError } from './errors.ts';

/** An output larger than this (bytes of JSON) belongs in a file. */
export const maxOutputBytes = 1024 * 1024;

/** What is wrong with the parameters, by JSON Pointer; empty when nothing is. */
export function checkParameters(
  definition: Pick<FunctionDefinition, 'input'>,
  parameters: JsonObject,
): ErrorDetail[] {
  const parsed = definition.input.safeParse(parameters);
  return parsed.success ? [] : openDetailsOf(parsed.error, definition.input, parameters);
}

/** The parameters as the function's code gets them. Throws `InputError` 'invalid-parameters'. */
export function parseParameters<I extends z.ZodObject>(input: I, parameters: JsonObject): z.output<I> {
  const parsed = input.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const details = openDetailsOf(parsed.error, input, parameters);
  throw new InputError(`The parameters break the schema: ${inWords(details)}`, {
    code: 'invalid-parameters',
    details,
  });
}

/** A schema may repeat in words what it was given; of secrets it must not. */
function openDetailsOf(error: z.ZodError, input: z.ZodObject, parameters: JsonObject): ErrorDetail[] {
  const { secrets } = secretsOf(schemaOf(input, 'input'))(parameters);
  return detailsWithoutSecrets(detailsOf(error), secrets);
}

/** The JSON that a job keeps of what its function returned. Throws `OutputError`. */
export function parseOutput(
  { name, output }: Pick<FunctionDefinition, 'name' | 'output'>,
  returned: unknown,
): JsonObject | null {
  if (output === null) {
    if (returned === undefined || returned === null) return null;
    throw new OutputError(`${name} declares no output, but returned one`);
  }
  const parsed = output.safeParse(returned);
  if (!parsed.success) {
    const details = detailsOf(parsed.error);
    throw new OutputError(`The output of ${name} breaks its schema: ${inWords(details)}`, { details });
  }
  return asJson(name, parsed.data);
}

/** One line that names the first place, for people who see the message only. */
export function inWords(details: readonly ErrorDetail[]): string {
  const [first] = details;
  if (!first) return 'it is wrong';
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  return `${first.pointer || 'the whole'}: ${first.detail}${more}`;
}

export function detailsOf(error: z.ZodError): ErrorDetail[] {
  return error.issues.flatMap((issue) => {
    const at = pointerOf(issue.path);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ pointer: at + pointerOf([key]), detail: 'unknown field' }));
    const inner = issue.code === 'invalid_key' ? issue.issues[0] : undefined;
    return [{ pointer: at, detail: inner?.message ?? issue.message }];
  });
}

/** RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** What JSON makes of a value is what the job keeps: `undefined` goes, a BigInt or a circle is refused. */
function asJson(name: string, value: unknown): JsonObject {
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new OutputError(`The output of ${name} is not JSON: ${String(cause)}`, { cause });
  }
  if (Buffer.byteLength(text) > maxOutputBytes) {
    throw new OutputError(
      `The output of ${name} is larger than ${maxOutputBytes} bytes; hand it over as a file`,
    );
  }
  const json: unknown = JSON.parse(text);
  if (!isJsonObject(json)) throw new OutputError(`The output of ${name} is not a JSON object`);
  return json;
}
