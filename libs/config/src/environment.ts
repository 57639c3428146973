import type { z } from 'zod';

import { about } from './variable.ts';

/** Thrown when the environment of a process cannot be used. Its message names every wrong variable and the remedy, and no secret. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(processName: string, problems: readonly string[]) {
    super(
      [`The configuration of ${processName} cannot be used:`, ...problems.map((one) => `  - ${one}`)].join(
        '\n',
      ),
    );
    this.problems = problems;
    // Whoever reads it is to mend the environment, not the program.
    this.stack = this.message;
  }
}

/** The environment of this process, for those who start child processes. All else is read through a loader. */
export function readEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env };
}

/** Parses `env`; an empty text counts as absent. Throws a `ConfigurationError` that names all problems at once. */
export function load<Schema extends z.ZodObject>(
  processName: string,
  schema: Schema,
  env: NodeJS.ProcessEnv,
): z.output<Schema> {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const shape: Record<string, z.core.$ZodType> = schema.shape;
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return describe(name, present[name], issue, shape[name]);
  });
  throw new ConfigurationError(processName, [...new Set(problems)]);
}

function describe(
  name: string,
  value: string | undefined,
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType | undefined,
): string {
  if (issue.code === 'custom') return `${name} ${issue.message}`;
  const known = schema === undefined ? undefined : about.get(schema);
  const form = known?.form ?? 'of another form';
  if (value === undefined) return `${name} is missing. Set it to ${form}.`;
  const shown = known?.secret ? 'cannot be used' : `is '${value.slice(0, 100)}'`;
  return `${name} ${shown}. Set it to ${form}${known?.fallback === undefined ? '' : `, or leave it out for ${known.fallback}`}.`;
}
