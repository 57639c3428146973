import { dirname, resolve } from 'node:path';
import type { JsonObject } from '@perdure/job/json';
import { z } from 'zod';
import { pathOf } from '../context.ts';
import type { CommandDefinition } from '../definition.ts';
import { defaultEnvironment } from '../environment.ts';
import { DeclarationError } from '../errors.ts';
import { detailsOf, parseParameters } from '../parse.ts';
import { Declaration } from './declaration.ts';
import { defaultsOf, parametersType } from './parameters.ts';
import { fill, likeOptions, parseTemplate } from './template.ts';
import { textsOf } from './texts.ts';

type Surroundings = {
  /** The path of the file that declares them: what begins with `./` lies beside it, and errors name it. */
  file: string;
  /** What `env.inherit` hands on from. */
  environment: Readonly<Record<string, string | undefined>>;
};

/** The functions that an operator has declared as programs. Throws `DeclarationError`. */
export function commandFunctions(declarations: unknown, surroundings: Surroundings): CommandDefinition[] {
  const { file } = surroundings;
  if (!Array.isArray(declarations)) throw new DeclarationError([`${file}: 'commands' is a list of commands`]);
  const problems: string[] = [];
  const seen = new Set<string>();
  const definitions = declarations.flatMap((declaration: unknown, index) => {
    const place = `${file}: command ${nameOf(declaration) ?? `no. ${index + 1}`}`;
    const parsed = Declaration.safeParse(declaration);
    if (!parsed.success) {
      for (const { pointer, detail } of detailsOf(parsed.error))
        problems.push(`${place}, ${pointer || 'as a whole'}: ${withRemedy(detail)}`);
      return [];
    }
    const { name, version } = parsed.data;
    if (seen.has(`${name}@${version}`))
      problems.push(`${place}, /version: ${version} is declared twice; give one another version or name`);
    seen.add(`${name}@${version}`);
    return [definitionOf(parsed.data, surroundings)];
  });
  if (problems.length > 0) throw new DeclarationError(problems);
  return definitions;
}

function definitionOf(declaration: Declaration, { file, environment }: Surroundings): CommandDefinition {
  const { parameters: schema, result = null, tool = null, retry = { maximumAttempts: 1 }, env } = declaration;
  const { memoryMiB, scratchMiB, timeoutSeconds, operatingSystems, name, version, description } = declaration;
  const beside = (element: string) => (element.startsWith('./') ? resolve(dirname(file), element) : element);
  const templates = declaration.args.map(beside).map(parseTemplate);
  const defaults = defaultsOf(schema);
  const input = parametersType(schema, (given) => {
    const { texts, problems } = textsOf(declaration, { ...defaults, ...given }, () => '/');
    return [...problems, ...likeOptions(templates, texts)];
  });
  return {
    name,
    version,
    description,
    input,
    output: null,
    result,
    files: declaration.outputs.length > 0 || result !== null,
    tool,
    operatingSystems,
    retry,
    limits: { memoryMiB, scratchMiB },
    isolation: 'command',
    program: beside(declaration.program),
    env: { ...defaultEnvironment, ...pick(environment, env.inherit), ...env.set },
    outputs: [...declaration.outputs, ...(result === null ? [] : [result])],
    timeoutSeconds,
    argumentsFor({ parameters, files }) {
      const given = { ...defaults, ...parseParameters(input, parameters) } as JsonObject;
      return fill(templates, textsOf(declaration, given, (id) => pathOf({ files }, id)).texts);
    },
  };
}

function withRemedy(detail: string): string {
  return detail === 'unknown field' ? 'unknown field; leave it out, or mend its spelling' : detail;
}

function pick(environment: Surroundings['environment'], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function nameOf(declaration: unknown): string | undefined {
  const named = z.object({ name: z.string() }).safeParse(declaration);
  return named.success ? `'${named.data.name.slice(0, 60)}'` : undefined;
}
