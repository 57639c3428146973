import { z } from 'zod';
import { variable } from './variable.ts';

const fallback = 'short=7,standard=90,long=730';
const form = `the days that ended jobs of each class are kept, each from 1 to 36500, like ${fallback}`;
const days = z
  .string()
  .regex(/^[1-9]\d{0,4}$/)
  .transform(Number)
  .pipe(z.number().max(36_500));
const classes = z.strictObject({ short: days, standard: days, long: days });

/** All three classes, each once. `forever` needs no days. */
export const retentionDays = variable(
  z.string().transform((text, context) => {
    const pairs = text.split(',').map((pair) => pair.trim().split('='));
    const parsed = classes.safeParse(Object.fromEntries(pairs));
    if (parsed.success && pairs.length === 3) return parsed.data;
    context.addIssue({ code: 'custom', message: `is '${text}'. Set it to ${form}.` });
    return z.NEVER;
  }),
  { form, fallback },
);
