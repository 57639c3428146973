import type { JsonObject } from '@perdure/job/json';
import { programTexts } from './interpreters.ts';
import type { ParametersSchema, Problem } from './parameters.ts';
import { beginningOf, likeOptions, parametersIn, parseTemplate, type Template, wholeOf } from './template.ts';
import { textsOf } from './texts.ts';

type Checked = { program: string; args: string[]; parameters: ParametersSchema; freeText: string[] };

const inText = 'a value would be part of a program; hand it to a script file as an argument of its own';

/** What is wrong with a command's templates, so that no value can later become an option, a path or a program's text. */
export function checkTemplates(declaration: Checked): Problem[] {
  const { program, args, parameters, freeText } = declaration;
  const templates = args.map(parseTemplate);
  const guarded = programTexts([program, ...args]);
  const wrong = templates.flatMap((template, index) => {
    const detail =
      wrongIn(template, parameters) ??
      (guarded.has(index + 1) && parametersIn(template).length > 0 ? inText : undefined) ??
      wrongAfter(args[index - 1], template, parameters);
    return detail === undefined ? [] : [{ path: ['args', index], detail }];
  });
  const unknown = freeText.flatMap((name, index) =>
    Object.hasOwn(parameters.properties, name)
      ? []
      : [{ path: ['freeText', index], detail: `there is no parameter '${name}'; name one, or leave it out` }],
  );
  return [...wrong, ...unknown, ...wrongValues(declaration, templates)];
}

function wrongIn(template: Template, { properties }: ParametersSchema): string | undefined {
  const names = parametersIn(template);
  const known = Object.keys(properties);
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined)
    return `there is no parameter '${stranger}'; known are ${known.join(', ') || 'none'}`;
  if (template.some((part) => 'text' in part && part.text.includes('{{')))
    return 'a placeholder is never closed; write {{name}}';
  if (names.length === 0) return undefined;
  const beginning = beginningOf(template);
  if (beginning.startsWith('./'))
    return 'what begins with ./ is a file beside this one, and takes no placeholder; name it in full, or leave ./ out';
  if (beginning.startsWith('-') && !beginning.includes('='))
    return 'a value would be part of an option; write --name={{…}}, or the option and the value as two elements';
  const list = names.find((name) => properties[name]?.type === 'array');
  if (list !== undefined && wholeOf(template) === undefined)
    return `the list '${list}' becomes several arguments; let {{${list}}} be the whole element`;
  return undefined;
}

/** An option whose value is missing would take what comes next. */
function wrongAfter(
  before: string | undefined,
  template: Template,
  { properties, required }: ParametersSchema,
): string | undefined {
  const name = wholeOf(template);
  // `-` and `--` are no options.
  if (name === undefined || before === undefined || !/^-(?!-?$)[^=]*$/.test(before)) return undefined;
  if (required.includes(name) || properties[name]?.['default'] !== undefined) return undefined;
  return `'${before}' would be left alone where '${name}' is not sent; write both as one element (--name={{${name}}}), or require it`;
}

/** What the operator wrote, and what no caller could send. */
function wrongValues(declaration: Checked, templates: Template[]): Problem[] {
  return Object.entries(declaration.parameters.properties).flatMap(([name, parameter]) => {
    const { default: given, enum: choice } = parameter;
    const values = [
      ...(given === undefined ? [] : [{ at: ['default'], value: given }]),
      ...(Array.isArray(choice)
        ? choice.map((value: unknown, index) => ({ at: ['enum', index], value }))
        : []),
    ];
    return values.flatMap(({ at, value }) => {
      const { texts, problems } = textsOf(declaration, { [name]: value } as JsonObject, () => '/');
      const [wrong] = [...problems, ...likeOptions(templates, texts)];
      return wrong ? [{ path: ['parameters', 'properties', name, ...at], detail: wrong.detail }] : [];
    });
  });
}
