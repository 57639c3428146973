import { fileFormat } from '@perdure/job/files-in';
import { patterns } from '@perdure/job/ids';
import type { JsonObject } from '@perdure/job/json';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { z } from 'zod';

/** A place in a value, and what is wrong there. */
export type Problem = { path: (string | number)[]; detail: string };

const Scalar = z.looseObject({
  type: z.enum(['string', 'number', 'integer', 'boolean'], 'string, number, integer or boolean'),
  format: z.literal(fileFormat, `${fileFormat} is the only format that is checked; use a pattern`).optional(),
});
const Parameter = z.union([Scalar, z.looseObject({ type: z.literal('array'), items: Scalar })], {
  error: `a parameter is a string, number, integer, boolean, or an array of one of these; the only format is ${fileFormat}`,
});

/** JSON Schema 2020-12 of what a command takes: an object of texts, numbers, truths and files, and lists of them. */
export const ParametersSchema = z
  .looseObject({
    $schema: z.literal('https://json-schema.org/draft/2020-12/schema').optional(),
    type: z.literal('object'),
    properties: z.record(
      z
        .string()
        .regex(/^[a-zA-Z][\w-]{0,62}$/, 'a parameter is named by a letter, then letters, digits, _ and -'),
      Parameter,
    ),
    required: z.array(z.string()).default([]),
    additionalProperties: z
      .literal(false, 'what no template names goes nowhere; leave additionalProperties out')
      .default(false),
  })
  .superRefine((schema, context) => {
    for (const { path, detail } of problemsOf(schema))
      context.addIssue({ code: 'custom', path, message: detail });
  });
export type ParametersSchema = z.output<typeof ParametersSchema>;

/** Makes the type of the parameters: the operator's schema to those who read it, and the same schema, then `judge`, to those who parse. */
export function parametersType(
  schema: ParametersSchema,
  judge: (parameters: JsonObject) => readonly Problem[],
): z.ZodObject {
  const validate = compile(schema);
  return z
    .looseObject({})
    .superRefine((parameters, context) => {
      const given = parameters as JsonObject;
      for (const { path, detail } of validate(given) ? judge(given) : failures(validate))
        context.addIssue({ code: 'custom', path, message: detail });
    })
    .meta(schema);
}

/** What a parameter is when it is not sent. */
export function defaultsOf({ properties }: ParametersSchema): JsonObject {
  const given = Object.entries(properties).filter(([, parameter]) => parameter['default'] !== undefined);
  return Object.fromEntries(given.map(([name, parameter]) => [name, parameter['default']])) as JsonObject;
}

/** A file, or a list of files. */
export function isFile(parameter: ParametersSchema['properties'][string]): boolean {
  return parameter.type === 'array'
    ? parameter.items.format === fileFormat
    : parameter['format'] === fileFormat;
}

function problemsOf(schema: ParametersSchema): Problem[] {
  const files = Object.values(schema.properties).filter(isFile).length;
  if (fileFormatsIn(schema) > files)
    return [{ path: [], detail: `${fileFormat} stands at a parameter itself, or at the items of its list` }];
  const given = Object.entries(schema.properties).find(
    ([, one]) => isFile(one) && one['default'] !== undefined,
  );
  if (given)
    return [{ path: ['properties', given[0], 'default'], detail: 'a file has no default; leave it out' }];
  try {
    compile(schema);
    const validate = compile({ ...schema, required: [] });
    if (validate(defaultsOf(schema))) return [];
    return failures(validate).map(({ path: [name = ''], detail }) => ({
      path: ['properties', name, 'default'],
      detail,
    }));
  } catch (failure) {
    return [{ path: [], detail: failure instanceof Error ? failure.message : String(failure) }];
  }
}

function fileFormatsIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + fileFormatsIn(one), 0);
  if (typeof value !== 'object' || value === null) return 0;
  const own = 'format' in value && value.format === fileFormat ? 1 : 0;
  return own + fileFormatsIn(Object.values(value));
}

/** Strict: a keyword that nobody knows is a slip. Throws what is wrong with the schema. */
function compile(schema: object): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictRequired: true,
    ownProperties: true,
    logger: false,
    formats: { [fileFormat]: patterns.uuid },
  });
  return ajv.compile(schema);
}

function failures({ errors }: ValidateFunction): Problem[] {
  return (errors ?? []).slice(0, 100).map(toProblem);
}

/** Where ajv names the object and the property apart, the path names the property. */
function toProblem({ instancePath, keyword, params, message = 'is wrong' }: ErrorObject): Problem {
  const path = instancePath.split('/').slice(1);
  if (keyword === 'format') return { path, detail: 'must be the id of a file (a UUID)' };
  const property: unknown = params['missingProperty'] ?? params['additionalProperty'];
  if (typeof property !== 'string') return { path, detail: message };
  return { path: [...path, property], detail: keyword === 'required' ? 'is missing' : 'unknown field' };
}
