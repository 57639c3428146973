import type { Problem } from './parameters.ts';

/** One element of `args`: literal text, and places for parameters. */
export type Template = readonly Part[];
type Part = { text: string } | { parameter: string };

/** What each parameter puts into the arguments: a text, or one for each item of a list. */
export type Texts = ReadonlyMap<string, string | readonly string[]>;

export function parseTemplate(element: string): Template {
  return element
    .split(/\{\{(.*?)\}\}/s)
    .map((piece, index) => (index % 2 === 0 ? { text: piece } : { parameter: piece.trim() }))
    .filter((part) => !('text' in part && part.text === ''));
}

export function parametersIn(template: Template): string[] {
  return template.flatMap((part) => ('parameter' in part ? [part.parameter] : []));
}

/** The literal text that a template begins with. */
export function beginningOf([first]: Template): string {
  return first && 'text' in first ? first.text : '';
}

/** The parameter that is all of a template. */
export function wholeOf(template: Template): string | undefined {
  const [first] = template;
  return template.length === 1 && first && 'parameter' in first ? first.parameter : undefined;
}

/** Makes arguments. An element with a parameter that is absent is left out; a list becomes an argument for each item. */
export function fill(templates: readonly Template[], texts: Texts): string[] {
  return templates.flatMap((template) => fillOne(template, texts));
}

/** Where a value would stand at the beginning of an argument and make it an option. */
export function likeOptions(templates: readonly Template[], texts: Texts): Problem[] {
  return templates.flatMap((template) => {
    const [first] = template;
    if (first === undefined || 'text' in first) return [];
    const { parameter } = first;
    const list = Array.isArray(texts.get(parameter));
    const remedy = list ? '' : ` (an operator can allow it by --${parameter}={{${parameter}}})`;
    const detail = `begins with a dash, which would make it an option${remedy}`;
    return fillOne(template, texts).flatMap((text, index) =>
      // Not the hyphen alone: PowerShell takes any dash.
      /^\p{Pd}/u.test(text) ? [{ path: list ? [parameter, index] : [parameter], detail }] : [],
    );
  });
}

function fillOne(template: Template, texts: Texts): string[] {
  const whole = wholeOf(template);
  if (whole !== undefined) return [texts.get(whole) ?? []].flat();
  const pieces = template.map((part) => ('text' in part ? part.text : texts.get(part.parameter)));
  return pieces.includes(undefined) ? [] : [pieces.join('')];
}
