import { z } from 'zod';
import { patterns } from '../ids.ts';
import type { JsonObject } from '../json.ts';

/** A moment as every answer writes it: RFC 3339, UTC. */
export const moment = z.iso.datetime().meta({ examples: ['2026-11-22T05:00:00.000Z'] });

export const uuid = z
  .string()
  .regex(patterns.uuid, 'is a UUID in small letters')
  .meta({
    format: 'uuid',
    examples: ['0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70'],
  });

/** The id of a job in a path: a UUID where it was made over HTTP, more where a service started the workflow itself. */
export const jobId = z
  .string()
  .regex(patterns.jobId, 'is 1 to 128 letters, digits, dots, underscores and dashes')
  .describe('The id of the job, which is also the id of its Temporal workflow');

export const functionName = z
  .string()
  .regex(patterns.name, 'is the name of a function: small letters, digits, dashes')
  .describe('The name of the function')
  .meta({ examples: ['predict'] });

export const version = z
  .string()
  .regex(patterns.version, 'is a version like 1.0.0')
  .describe('A semantic version')
  .meta({ examples: ['1.0.0'] });

export const poolName = z
  .string()
  .regex(patterns.pool, "is the name of a pool: small letters, digits, dashes, and neither 'any' nor 'agent'")
  .describe('A named group of agents')
  .meta({ examples: ['gpu'] });

export const systemName = z
  .string()
  .regex(patterns.name, 'is the name of an operating system: small letters, digits, dashes')
  .meta({ examples: ['linux'] });

const toolName = z
  .string()
  .regex(patterns.toolName, 'is 1 to 64 letters, digits, dots, underscores and dashes')
  .meta({ examples: ['blender'] });
const toolVersion = z
  .string()
  .regex(patterns.toolVersion, 'is 1 to 32 letters, digits, dots, underscores and dashes')
  .meta({ examples: ['4.2'] });

export const tool = z.strictObject({ name: toolName, version: toolVersion });

export const wantedTool = z.strictObject({
  name: toolName,
  version: toolVersion.optional().describe('Any version without it'),
});

export const agentId = z
  .string()
  .regex(patterns.agentId, 'is the id of an agent: letters, digits, dots, underscores, dashes')
  .describe('The id of an agent')
  .meta({ examples: ['agent-1'] });

export const logStream = z.enum(['stdout', 'stderr', 'log']);

/** From the least grave on. */
export const logLevel = z.enum(['debug', 'info', 'warn', 'error']);

/** A text between bounds that are counted in characters, never empty. */
export const text = (length: number) => z.string().min(1).max(length);

/** Names are no paths: they are kept as they are, and never become part of one. */
export const fileName = text(255).regex(
  patterns.fileName,
  'is a name of 1 to 255 characters, without slashes and control characters',
);

/** Any JSON object. What is inside is judged by the schema of the function. */
export const anyObject = z
  .custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'is an object',
  )
  .meta({ type: 'object', additionalProperties: true });

export const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256 of the bytes, in hex');

/** A whole number in a query string. */
export const queryInteger = (least: number, most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^[0-9]{1,9}$/.test(value) ? Number(value) : value),
    z.int(`is a whole number from ${least} to ${most}`).min(least).max(most),
  );

/** True or false in a query string. */
export const queryBoolean = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean('is true or false'),
);

const years = '(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-';
/** A moment in a query string, in any zone. */
export const queryMoment = (what: string) =>
  z.iso
    .datetime({ offset: true, error: 'is a moment like 2026-11-22T05:00:00Z, with its zone' })
    .refine((moment) => new RegExp(`^${years}`).test(moment), 'is a moment of the years 1970 to 9998')
    .meta({ pattern: `^(?=${years})${z.regexes.datetime({ offset: true }).source.slice(1)}` })
    .optional()
    .describe(what);

/** A query parameter that may be given several times, or once with commas between. */
export const queryList = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (value) => [value].flat().flatMap((one) => (typeof one === 'string' ? one.split(',') : [one])),
    z.array(item).min(1).max(20),
  );

export const pageSize = queryInteger(1, 200).default(50).describe('How many items a page has at most');

export const pageToken = z
  .string()
  .max(1_000)
  .describe('`nextPageToken` of the page before; it is bound to the filters that page was asked with');

const nextPageToken = z
  .string()
  .nullable()
  .describe('Ask with this `pageToken` for the next page; null at the end');

export const pageOf = <Item extends z.ZodType>(item: Item, about: { id: string; description: string }) =>
  z.strictObject({ items: z.array(item), nextPageToken }).meta(about);
