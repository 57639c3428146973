import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** The JSON Schema `format` of a parameter that is the id of a file. */
export const fileFormat = 'perdure-file';

export type FileParameter = { pointer: string; fileId: string };

/** Finds the parameters that are file ids by their place in the function's JSON Schema; `pointer` is a JSON Pointer into the parameters. */
export function filesIn(schema: Json | undefined, parameters: JsonObject): FileParameter[] {
  return walk(schema, parameters, '');
}

function walk(schema: Json | undefined, value: Json | undefined, pointer: string): FileParameter[] {
  if (!isJsonObject(schema) || value === undefined) return [];
  if (schema['format'] === fileFormat && typeof value === 'string') return [{ pointer, fileId: value }];
  const { properties, items } = schema;
  if (isJsonObject(properties) && isJsonObject(value)) {
    return Object.entries(properties).flatMap(([name, inner]) =>
      walk(inner, value[name], `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
    );
  }
  if (Array.isArray(value)) return value.flatMap((one, index) => walk(items, one, `${pointer}/${index}`));
  return [];
}
