import { z } from 'zod';

export const Live = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Live' });
export type Live = z.output<typeof Live>;

const check = z.strictObject({ ok: z.boolean(), detail: z.string() });

export const Ready = z
  .strictObject({
    status: z.literal('ready'),
    checks: z.strictObject({
      database: check,
      migrations: check,
      temporal: check,
      worker: check,
      serving: check,
    }),
  })
  .meta({
    id: 'Ready',
    description: 'What was looked at; where something is wrong, the problem has the same `checks`',
  });
export type Ready = z.output<typeof Ready>;
