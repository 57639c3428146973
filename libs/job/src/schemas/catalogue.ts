import { z } from 'zod';
import { anyObject, digest, functionName, moment, systemName, text, tool, uuid, version } from './pieces.ts';

export const Function = z
  .strictObject({
    name: functionName,
    version,
    description: z.string(),
    inputSchema: anyObject.describe(
      'JSON Schema 2020-12 of `parameters`; `format: perdure-file` marks the id of a file',
    ),
    outputSchema: anyObject.nullable().describe('JSON Schema 2020-12 of `output`'),
    result: z.string().nullable().describe('The file that is the result; null: the output is'),
    tool: tool.nullable(),
    operatingSystems: z.array(z.string()).nullable().describe('Where it can run; null: anywhere'),
  })
  .meta({ id: 'Function', description: 'Something agents can run' });
export type Function = z.output<typeof Function>;

export const FunctionList = z
  .strictObject({ items: z.array(Function) })
  .meta({ id: 'FunctionList', description: 'Every version of every function, by name, newest first' });
export type FunctionList = z.output<typeof FunctionList>;

export const FunctionRequest = z
  .strictObject({
    description: text(2_000),
    inputSchema: anyObject.describe('JSON Schema 2020-12 of `parameters`, of type object'),
    outputSchema: anyObject.nullable().optional().describe('JSON Schema 2020-12 of `output`'),
    result: text(200)
      .nullable()
      .optional()
      .describe('The file that is the result; without it, the output is'),
    tool: tool.optional().describe('The tool that it needs'),
    operatingSystems: z
      .array(systemName)
      .min(1)
      .max(20)
      .optional()
      .describe('Where it can run; anywhere without it'),
  })
  .meta({
    id: 'FunctionRequest',
    description: 'A function that only HTTP agents serve',
    examples: [
      {
        description: 'Counts words',
        inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      },
    ],
  });
export type FunctionRequest = z.output<typeof FunctionRequest>;

export const FunctionPath = z.strictObject({ name: functionName, version });
export type FunctionPath = z.output<typeof FunctionPath>;

export const File = z
  .strictObject({
    id: uuid,
    name: z.string(),
    mediaType: z.string(),
    size: z.int().describe('Bytes'),
    sha256: digest,
    createdAt: moment,
    links: z.strictObject({ self: z.string(), content: z.string() }),
  })
  .meta({ id: 'File', description: 'A file; its bytes never change' });
export type File = z.output<typeof File>;

export const FilePath = z.strictObject({ id: uuid });
export type FilePath = z.output<typeof FilePath>;

export const UploadQuery = z.strictObject({
  name: text(255).optional().describe('The name of the file; or by Content-Disposition'),
});
export type UploadQuery = z.output<typeof UploadQuery>;
