import { z } from 'zod';
import { patterns } from '../ids.ts';
import {
  anyObject,
  digest,
  fileName,
  functionName,
  moment,
  systemName,
  text,
  tool,
  uuid,
  version,
} from './pieces.ts';

export const Function = z
  .strictObject({
    name: functionName,
    version,
    description: z.string(),
    inputSchema: anyObject.describe(
      'JSON Schema 2020-12 of `parameters`; `format: perdure-file` marks the id of a file, `writeOnly: true` a secret',
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
    inputSchema: anyObject
      .describe('JSON Schema 2020-12 of `parameters`, of type object')
      .meta({ properties: { type: { const: 'object' } }, required: ['type'] }),
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
  name: fileName.optional().describe('The name of the file; or by Content-Disposition'),
});
export type UploadQuery = z.output<typeof UploadQuery>;

const signature = z.string().max(4_000).describe('That of a signed URL; then no key is needed');

export const SignedQuery = z.strictObject({ signature: signature.optional() });
export type SignedQuery = z.output<typeof SignedQuery>;

export const SignedUploadQuery = z.strictObject({ signature });
export type SignedUploadQuery = z.output<typeof SignedUploadQuery>;

/** What an operator may allow at most: seven days. */
export const maxSignedSeconds = 7 * 86_400;

const expiresInSeconds = z
  .int()
  .min(1)
  .max(maxSignedSeconds)
  .optional()
  .describe('How long the URL works; the server has a default and a limit of its own');

export const SignRequest = z
  .strictObject({ expiresInSeconds })
  .prefault({})
  .meta({ id: 'SignRequest', description: 'For how long; an empty body will do' });
export type SignRequest = z.output<typeof SignRequest>;

export const SignUploadRequest = z
  .strictObject({
    name: fileName.describe('The name of the file'),
    mediaType: z
      .string()
      .max(255)
      .regex(patterns.mediaType, 'is a media type like text/csv')
      .default('application/octet-stream'),
    maxBytes: z.int().min(0).optional().describe('The file may have no more bytes'),
    expiresInSeconds,
  })
  .meta({
    id: 'SignUploadRequest',
    description: 'The file that may be uploaded',
    examples: [{ name: 'table.csv', mediaType: 'text/csv', maxBytes: 1_000_000 }],
  });
export type SignUploadRequest = z.output<typeof SignUploadRequest>;

export const SignedUrl = z
  .strictObject({
    id: uuid.describe('The file'),
    method: z.enum(['GET', 'PUT']).describe('The method that it is for; GET is for HEAD too'),
    url: z.string().describe('Relative to this API. Whoever has it needs no key'),
    expiresAt: moment,
  })
  .meta({ id: 'SignedUrl', description: 'A URL that stands for its maker, for one method and one file' });
export type SignedUrl = z.output<typeof SignedUrl>;
