import { readFileSync } from 'node:fs';

import { z } from 'zod';

/** What an error and `.env.example` say about a variable. The value of a secret is never shown. */
export type About = { form: string; fallback?: string; secret?: true };

export const about = z.registry<About>();

export function text(form: string, pattern: RegExp, facts: Omit<About, 'form'> = {}) {
  return variable(z.string().regex(pattern), { form, ...facts });
}

export function wholeNumber(what: string, least: number, most: number, fallback?: string) {
  const form = `${what}: a whole number from ${least} to ${most}`;
  return variable(
    z
      .string()
      .regex(/^\d{1,16}$/)
      .transform(Number)
      .pipe(z.number().min(least).max(most)),
    { form, fallback },
  );
}

export function port(fallback: string) {
  return wholeNumber('a TCP port', 0, 65_535, fallback);
}

export function oneOf<const Word extends string>(words: readonly Word[], fallback: Word) {
  return variable(z.enum(words), { form: `one of ${words.join(', ')}`, fallback });
}

/** Names separated by commas, each once. */
export function list<Item extends string>(item: z.ZodType<Item, string>, form: string, fallback: string) {
  const items = z.string().transform((words) => [...new Set(words.split(',').map((word) => word.trim()))]);
  return variable(items.pipe(z.array(item).min(1)), { form, fallback });
}

/** The path of a PEM file; the value is what the file contains. */
export function pemFile(form: string) {
  const content = z.string().transform((path, context) => {
    try {
      return readFileSync(path);
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: `names a file that cannot be read (${codeOf(error)}). Set it to ${form}.`,
      });
      return z.NEVER;
    }
  });
  return variable(content, { form });
}

/** A variable with what is said about it. */
export function variable<Output>(schema: z.ZodType<Output, string>, facts: About) {
  const described = facts.fallback === undefined ? schema : schema.prefault(facts.fallback);
  about.add(described, facts);
  return described;
}

/** Marks a variable that may be left out and then has no value. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  const described = schema.optional();
  const facts = about.get(schema);
  if (facts) about.add(described, facts);
  return described;
}

export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : 'unknown reason';
}
