import { z } from 'zod';
import { accessLevels } from '../permissions.ts';
import { jobId, moment, text, uuid } from './pieces.ts';
import { email } from './access.ts';

const access = z
  .enum(accessLevels)
  .describe(
    '`viewer` reads; `editor` also cancels, archives, restores and runs again; `owner` also says who has access',
  );

export const ShareRequest = z
  .strictObject({
    user: z
      .union([z.strictObject({ id: uuid }), z.strictObject({ email })], 'is {"id": …} or {"email": …}')
      .describe('A user of this tenant'),
    access,
    reason: text(500).optional(),
  })
  .meta({
    id: 'ShareRequest',
    examples: [{ user: { email: 'ada@example.com' }, access: 'viewer', reason: 'looks into the failure' }],
  });
export type ShareRequest = z.output<typeof ShareRequest>;

export const AccessEntry = z
  .strictObject({
    user: z.strictObject({
      id: z.string().describe('Of an owner that a service named itself, as it was named'),
      email: z.string().nullable(),
      displayName: z.string().nullable(),
    }),
    access,
    grantedBy: z.string().nullable().describe('The id of the user who gave it; null: of the owner'),
    grantedAt: moment.nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'AccessEntry', description: 'What a user may do with a job or a file' });
export type AccessEntry = z.output<typeof AccessEntry>;

export const AccessList = z.strictObject({ items: z.array(AccessEntry) }).meta({
  id: 'AccessList',
  description: 'The owner, and those who were given access; admins and operators have it besides',
});
export type AccessList = z.output<typeof AccessList>;

export const JobAccessPath = z.strictObject({ id: jobId, userId: uuid });
export type JobAccessPath = z.output<typeof JobAccessPath>;

export const FileAccessPath = z.strictObject({ id: uuid, userId: uuid });
export type FileAccessPath = z.output<typeof FileAccessPath>;
