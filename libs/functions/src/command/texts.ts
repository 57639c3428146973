import type { JsonObject } from '@perdure/job/json';
import { isFile, type ParametersSchema, type Problem } from './parameters.ts';
import type { Texts } from './template.ts';

/** Linux takes 128 KiB in one argument. */
const maxBytes = 100_000;

/**
 * The texts of the parameters that were sent. `problems`: texts that are not to reach a program. A text can be no path out of the scratch
 * folder, unless its parameter is among `freeText`.
 */
export function textsOf(
  { parameters: schema, freeText }: { parameters: ParametersSchema; freeText: readonly string[] },
  parameters: JsonObject,
  pathOf: (fileId: string) => string,
): { texts: Texts; problems: Problem[] } {
  const texts = new Map<string, string | string[]>();
  const problems: Problem[] = [];
  for (const [name, declared] of Object.entries(schema.properties)) {
    // Not `in`: a parameter may be called `constructor`.
    if (!Object.hasOwn(parameters, name)) continue;
    const text = (value: unknown, path: Problem['path']) => {
      if (typeof value === 'string' && isFile(declared)) return pathOf(value);
      const detail = wrongIn(String(value), freeText.includes(name));
      if (detail !== undefined) problems.push({ path, detail });
      return String(value);
    };
    const value = parameters[name];
    texts.set(
      name,
      Array.isArray(value) ? value.map((one, index) => text(one, [name, index])) : text(value, [name]),
    );
  }
  return { texts, problems };
}

function wrongIn(text: string, free: boolean): string | undefined {
  if (/\p{Cc}/u.test(text))
    return 'contains a control character, which no argument may; send longer texts as a file';
  if (!text.isWellFormed()) return 'is not well-formed Unicode';
  if (Buffer.byteLength(text) > maxBytes) return `is larger than ${maxBytes} bytes; send it as a file`;
  if (free) return undefined;
  if (text === '') return 'is empty; leave the parameter out instead';
  if (/[/\\]/.test(text) || text === '.' || text === '..')
    return 'could be a path; send a plain name, or a file parameter (an operator can allow it by freeText)';
  return undefined;
}
