import { z } from 'zod';
import { actorKinds, auditOutcomes, targetKinds } from '../audit.ts';
import { type ErrorCode, errors } from '../errors.ts';
import { moment, pageOf, pageSize, pageToken, queryMoment, text, uuid } from './pieces.ts';

export const AuditQuery = z.strictObject({
  pageSize,
  pageToken: pageToken.optional(),
  actor: text(200).optional().describe('Only what this user or agent did, by its id'),
  action: text(100).optional().describe('Only this: the `operationId` of the request'),
  target: text(200).optional().describe('Only what was done with the job, file, user … of this id'),
  targetKind: z.enum(targetKinds).optional().describe('Only what was done with such'),
  outcome: z.enum(auditOutcomes).optional().describe('Only what came to this'),
  since: queryMoment('Only what was done at this moment or later'),
  until: queryMoment('Only what was done before this moment'),
});
export type AuditQuery = z.output<typeof AuditQuery>;

export const AuditEntry = z
  .strictObject({
    id: uuid,
    at: moment.describe('In microseconds'),
    actor: z.strictObject({
      kind: z.enum(actorKinds).describe('`temporal`: somebody who went to Temporal directly'),
      id: z.string().describe('Of the user or agent; of `temporal`, what Temporal calls it'),
      keyId: uuid.nullable().describe('The API key; null: a token of the identity provider, or `temporal`'),
    }),
    action: z
      .string()
      .describe(
        'The `operationId` of the request; of `temporal`: `terminateWorkflow`, `resetWorkflow` or `interruptActivity`',
      ),
    target: z
      .strictObject({
        kind: z.enum(targetKinds),
        id: z.string().nullable().describe('null: it was refused before there was one'),
      })
      .nullable(),
    outcome: z
      .enum(auditOutcomes)
      .describe('`asked`: the workflow of the job was asked; its history tells what became of it'),
    code: z
      .enum(Object.keys(errors) as [ErrorCode, ...ErrorCode[]])
      .nullable()
      .describe('Why it was refused, or failed'),
    reason: z.string().nullable().describe('As the caller gave it'),
    requestId: z.string().nullable().describe('The `X-Request-Id` of the answer'),
    address: z.string().nullable().describe('Where the request came from'),
  })
  .meta({ id: 'AuditEntry', description: 'Somebody did something, or wanted to' });
export type AuditEntry = z.output<typeof AuditEntry>;

export const AuditPage = pageOf(AuditEntry, {
  id: 'AuditPage',
  description: 'Entries of the audit log, newest first',
});
export type AuditPage = z.output<typeof AuditPage>;
