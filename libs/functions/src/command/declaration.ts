import { patterns } from '@perdure/job/ids';
import { z } from 'zod';
import { ParametersSchema } from './parameters.ts';
import { checkTemplates } from './template-rules.ts';

const name = z.string().regex(patterns.name, 'a name is small letters, digits and dashes');
const version = (form: RegExp, like: string) =>
  z.string(`a version is a text; put it in quotes, like "${like}"`).regex(form, `a version is like ${like}`);
const mebibytes = z.int().min(1);
const milliseconds = z.number().min(1).max(3_600_000);
const variable = z.string().regex(/^(?!TMPDIR$)[A-Za-z_]\w*$/, {
  error: ({ input }) =>
    input === 'TMPDIR'
      ? 'TMPDIR is always the scratch folder; leave it out'
      : 'the name of a variable is letters, digits and underscores',
});
const withoutNul = z.string().regex(/^[^\0]*$/, 'a NUL cannot be handed over; leave it out');

/** Node's timers take no more. */
const longestTimerSeconds = 24 * 24 * 3600;

/** A glob that cannot lead out of the scratch folder. */
const glob = z
  .string()
  .regex(
    /^(?![/\\])(?!(.*[/\\])?\.\.([/\\]|$))[^\0]+$/,
    'name files in the scratch folder, without a leading / and without ..',
  );

/** A program that the operator of an agent lets the callers of the API start. */
export const Declaration = z
  .strictObject({
    name,
    version: version(patterns.version, '1.0.0'),
    description: z.string().min(1),
    program: withoutNul.regex(
      /^(?!.*\{\{)([^/\\]+|\/.*|[A-Za-z]:[/\\].*|\.\/.+)$/,
      'name a program on the PATH, an absolute path, or ./ and a path beside this file; it takes no placeholder',
    ),
    args: z.array(withoutNul).max(1_000).default([]),
    parameters: ParametersSchema,
    /** Parameters whose text may contain slashes, and so be a path anywhere. */
    freeText: z.array(z.string()).default([]),
    env: z
      .strictObject({
        /** Handed on from the agent's own environment. */
        inherit: z.array(variable).default([]),
        set: z.record(variable, withoutNul).default({}),
      })
      .prefault({}),
    outputs: z.array(glob).max(100).default([]),
    result: z
      .string()
      .regex(/^(?!\.{1,2}$)[\w .,@+=-]{1,200}$/, 'the plain name of a file in the scratch folder')
      .optional(),
    tool: z
      .strictObject({
        name: z.string().regex(patterns.toolName, 'is 1 to 64 letters, digits, dots, underscores and dashes'),
        version: version(patterns.toolVersion, '3.11'),
      })
      .optional(),
    operatingSystems: z.array(name).default([]),
    timeoutSeconds: z.number().min(0.001).max(longestTimerSeconds).optional(),
    memoryMiB: mebibytes.optional(),
    scratchMiB: mebibytes.optional(),
    /** Without it a failure is final. */
    retry: z
      .strictObject({
        maximumAttempts: z.int().min(1).max(100),
        initialIntervalMs: milliseconds.optional(),
        backoffCoefficient: z.number().min(1).max(10).optional(),
        maximumIntervalMs: milliseconds.optional(),
      })
      .optional(),
  })
  .superRefine((declaration, context) => {
    for (const { path, detail } of checkTemplates(declaration))
      context.addIssue({ code: 'custom', path, message: detail });
  });
export type Declaration = z.output<typeof Declaration>;
