import type { ErrorDetail } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** Stands where an answer leaves a secret out. */
export const secretPlaceholder = '***';

/** A parameter that the function's JSON Schema marks with `writeOnly: true`. `pointer` is a JSON Pointer into the parameters. */
export type SecretPlace = { pointer: string; value: Json };

/** The parameters as they may be seen, and the places of what may not. */
export type Hidden = { parameters: JsonObject; secrets: SecretPlace[] };

/** What hides the secrets of parameters that this JSON Schema describes. */
export function secretsOf(schema: JsonObject): (parameters: JsonObject) => Hidden {
  return marksSecrets(schema)
    ? (parameters) => withoutSecrets(schema, parameters)
    : (parameters) => ({ parameters, secrets: [] });
}

/** `model` is what lists and Temporal find jobs by: marked as a secret it would be none. */
export function hidesModel(schema: JsonObject): boolean {
  return secretsOf(schema)({ model: '' }).secrets.length > 0;
}

/** What is wrong with parameters, without what it tells of the secrets among them. */
export function detailsWithoutSecrets(
  details: readonly ErrorDetail[],
  secrets: readonly SecretPlace[],
): ErrorDetail[] {
  return details.map((one) => {
    const secret = secrets.find(({ pointer }) => `${one.pointer}/`.startsWith(`${pointer}/`));
    return secret ? { pointer: secret.pointer, detail: 'is a secret, and not as its schema has it' } : one;
  });
}

function withoutSecrets(schema: JsonObject, parameters: JsonObject): Hidden {
  const secrets: SecretPlace[] = [];
  const seen = walk([schema], parameters, '');
  return { parameters: isJsonObject(seen) ? seen : {}, secrets };

  /** `schemas`: all that say something of the value, whether or not it fits them: what one of them calls secret is. */
  function walk(schemas: Json[], value: Json, pointer: string): Json {
    const all = schemas.flatMap((one) => withParts(one, schema));
    if (all.some((one) => one['writeOnly'] === true)) {
      secrets.push({ pointer, value });
      return secretPlaceholder;
    }
    if (Array.isArray(value))
      return value.map((inner, index) =>
        walk(
          all.flatMap((one) => ofItem(one, index)),
          inner,
          `${pointer}/${index}`,
        ),
      );
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        return [
          name,
          walk(
            all.flatMap((one) => ofProperty(one, name)),
            inner,
            at,
          ),
        ];
      }),
    );
  }
}

function marksSecrets(value: Json): boolean {
  if (Array.isArray(value)) return value.some(marksSecrets);
  if (!isJsonObject(value)) return false;
  return value['writeOnly'] === true || Object.values(value).some(marksSecrets);
}

/** What a reference leads to that cannot be followed here (an anchor, another document) may say anything. */
const unknown: JsonObject = { writeOnly: true };

/** The schema, and all that it brings in at the same place of the value. */
function withParts(start: Json, root: JsonObject): JsonObject[] {
  const found = new Set<JsonObject>();
  const add = (schema: Json | undefined): void => {
    if (!isJsonObject(schema) || found.has(schema)) return;
    found.add(schema);
    for (const name of ['allOf', 'anyOf', 'oneOf']) [schema[name] ?? []].flat().forEach(add);
    for (const name of ['if', 'then', 'else', 'not']) add(schema[name]);
    if (isJsonObject(schema['dependentSchemas'])) Object.values(schema['dependentSchemas']).forEach(add);
    for (const name of ['$ref', '$dynamicRef']) {
      const reference = schema[name];
      if (typeof reference === 'string') add(follow(reference, root) ?? unknown);
    }
  };
  add(start);
  return [...found];
}

/** `#` and JSON Pointers (RFC 6901) into the same document. */
function follow(reference: string, root: JsonObject): Json | undefined {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined;
  const steps = decodeURIComponent(reference.slice(1)).split('/').slice(1);
  let at: Json | undefined = root;
  for (const step of steps) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    at = Array.isArray(at) ? at[Number(name)] : isJsonObject(at) ? at[name] : undefined;
  }
  return at;
}

function ofItem({ prefixItems, items, contains, unevaluatedItems }: JsonObject, index: number): Json[] {
  const own = Array.isArray(prefixItems) ? prefixItems[index] : undefined;
  return [own ?? items, contains, unevaluatedItems].filter((one) => one !== undefined);
}

function ofProperty(schema: JsonObject, name: string): Json[] {
  const { properties, patternProperties, additionalProperties, unevaluatedProperties } = schema;
  const own = isJsonObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
  const patterns = isJsonObject(patternProperties)
    ? Object.entries(patternProperties).flatMap(([pattern, one]) => (fits(pattern, name) ? [one] : []))
    : [];
  const named = [...own, ...patterns];
  return [...(named.length > 0 ? named : [additionalProperties]), unevaluatedProperties].filter(
    (one) => one !== undefined,
  );
}

function fits(pattern: string, name: string): boolean {
  return new RegExp(pattern, 'u').test(name);
}
