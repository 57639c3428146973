import { type Problems, quoted } from './problems.ts';

/** `places[i]` is where feature `i` stands in a row of the file. */
export type Columns = { names: readonly string[]; places: readonly number[] };

/** Matches the header to the features by name, in any order; what is wrong goes to `problems`. */
export function matchColumns(
  header: readonly string[],
  features: readonly string[],
  problems: Problems,
  { line = 1, ignoreExtra = false } = {},
): Columns {
  const names = header.map((cell) => cell.trim());
  const columns = { names, places: features.map((feature) => names.indexOf(feature)) };
  const missing = features.filter((_, index) => columns.places[index] === -1);
  if (missing.length === features.length) {
    problems.add({ line }, noneMatches(names, features));
    return columns;
  }
  for (const column of missing) problems.add({ line, column }, 'the column is missing');
  const wanted = new Set(features);
  for (const [place, name] of names.entries()) {
    const isTwin = names.indexOf(name) < place;
    if (isTwin && wanted.has(name)) problems.add({ line, column: name }, 'the column stands there twice');
    else if (wanted.has(name) || ignoreExtra) continue;
    else if (name === '') problems.add({ line }, `column ${place + 1} has no name`);
    else
      problems.add(
        { line, column: name },
        'the model takes no such column (ignoreExtraColumns: true lets it pass)',
      );
  }
  return columns;
}

function noneMatches(names: readonly string[], features: readonly string[]): string {
  const [only = ''] = names;
  const delimiter = names.length === 1 ? /[;\t|]/.exec(only)?.[0] : undefined;
  const hint =
    delimiter === undefined ? '' : `; cells are separated by commas, not by ${JSON.stringify(delimiter)}`;
  const wanted = features.slice(0, 5).map(quoted).join(', ');
  return `none of the model's columns (${wanted}${features.length > 5 ? ', …' : ''}) is in the header${hint}`;
}
