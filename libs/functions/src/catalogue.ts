import { isJsonObject, type JsonObject } from '@perdure/job/json';
import type { Tool } from '@perdure/job/queues';
import { z } from 'zod';
import type { FunctionDefinition } from './definition.ts';

/** A function as the catalogue lists it: data only. */
export type FunctionDescription = {
  name: string;
  version: string;
  description: string;
  /** JSON Schema 2020-12 of the parameters as a caller sends them. */
  inputSchema: JsonObject;
  /** JSON Schema 2020-12 of the output, or null when the function returns files only. */
  outputSchema: JsonObject | null;
  /** The name of the file that is the declared result; null when the output is. */
  result: string | null;
  tool: Tool | null;
  /** Empty: any. */
  operatingSystems: string[];
};

export function describeFunction(definition: FunctionDefinition): FunctionDescription {
  const { name, version, description, input, output, result, tool, operatingSystems } = definition;
  return {
    name,
    version,
    description,
    inputSchema: schemaOf(input, 'input'),
    outputSchema: output && schemaOf(output, 'output'),
    result,
    tool,
    operatingSystems,
  };
}

/** JSON Schema 2020-12. */
export function schemaOf(type: z.ZodType, io: 'input' | 'output'): JsonObject {
  const schema: unknown = JSON.parse(JSON.stringify(z.toJSONSchema(type, { target: 'draft-2020-12', io })));
  if (!isJsonObject(schema)) throw new Error('a JSON Schema is an object');
  return schema;
}
