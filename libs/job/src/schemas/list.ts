import { z } from 'zod';
import { statuses } from '../status.ts';
import {
  agentId,
  functionName,
  moment,
  pageSize,
  pageToken,
  poolName,
  queryBoolean,
  queryList,
  queryMoment,
  text,
} from './pieces.ts';

/** `key:value`; the key ends at the first colon. May be given several times. */
const labels = z.preprocess(
  (value) => [value].flat(),
  z
    .array(z.string().regex(/^[^:]{1,100}:.{1,200}$/su, 'is a label like team:north'))
    .min(1)
    .max(10),
);

export const JobQuery = z.strictObject({
  pageSize,
  pageToken: pageToken.optional(),
  sort: z
    .enum(['-createdAt', 'createdAt', '-endedAt', 'endedAt'])
    .optional()
    .describe(
      'Newest first (`-createdAt`) without it, or, with a range of `ended`, `-endedAt`. By `endedAt`: only jobs that have ended',
    ),
  status: queryList(z.enum(statuses)).optional().describe('Only jobs in one of these'),
  function: functionName.optional().describe('Only jobs of this function'),
  agent: agentId.optional().describe('Only jobs that this agent has or had'),
  pool: poolName.optional().describe('Only jobs that ask for this pool'),
  owner: text(200).optional().describe('Only jobs of this owner: the id of a user, or what a service said'),
  model: text(200).optional().describe('Only jobs with this parameter `model`'),
  label: labels.optional().describe('Only jobs with this label, `key:value`; of several, with all'),
  createdAfter: queryMoment('Only jobs that were accepted at this moment or later'),
  createdBefore: queryMoment('Only jobs that were accepted before this moment'),
  endedAfter: queryMoment('Only jobs that ended at this moment or later'),
  endedBefore: queryMoment('Only jobs that ended before this moment'),
  archived: z
    .literal('any')
    .or(queryBoolean)
    .default(false)
    .describe('`true`: only archived jobs; `any`: these too; `false`: only others'),
  q: text(200)
    .min(3, 'has at least 3 characters')
    .optional()
    .describe('Only jobs that have this in their name, in capitals or not; 3 characters at least'),
});
export type JobQuery = z.output<typeof JobQuery>;

export const JobCounts = z
  .strictObject({
    counts: z.strictObject(
      Object.fromEntries(statuses.map((status) => [status, z.int()])) as Record<
        (typeof statuses)[number],
        z.ZodInt
      >,
    ),
    archived: z.int().describe('How many are archived; these are in none of the other counts'),
    asOf: moment.describe('The counts are exact as of this moment'),
  })
  .meta({ id: 'JobCounts', description: 'How many jobs of the tenant have each status' });
export type JobCounts = z.output<typeof JobCounts>;

export const ArchiveRequest = z
  .strictObject({ reason: text(1_000).optional().describe('For the history') })
  .prefault({})
  .meta({ id: 'ArchiveRequest', description: 'Why; an empty body will do' });
export type ArchiveRequest = z.output<typeof ArchiveRequest>;

export const Archiving = z
  .strictObject({
    revision: z.int().describe('The revision of the job since'),
    kind: z.enum(['archived', 'restored']),
    at: moment,
    actor: z.string().describe('Who did it'),
    reason: z.string().nullable(),
  })
  .meta({ id: 'Archiving', description: 'The job was put into the archive, or taken out of it' });
export type Archiving = z.output<typeof Archiving>;
